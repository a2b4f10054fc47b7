// SPDX-License-Identifier: BSD-2-Clause
//
// settle PORT NAME: one connection for every version and suite that rustls has; those that succeed stay open, and
// each is a line "SNI VERSION SUITE" by rustls' own word, the suite by IANA's name. Last comes "done".
use rustls::client::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::internal::msgs::handshake::DigitallySignedStruct;
use rustls::{Certificate, ClientConfig, ClientConnection, Error, ServerName, SupportedCipherSuite, SupportedProtocolVersion};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

struct Anybody;

impl ServerCertVerifier for Anybody {
	fn verify_server_cert(
		&self, _: &Certificate, _: &[Certificate], _: &ServerName, _: &mut dyn Iterator<Item = &[u8]>, _: &[u8], _: SystemTime,
	) -> Result<ServerCertVerified, Error> {
		Ok(ServerCertVerified::assertion())
	}

	fn verify_tls12_signature(&self, _: &[u8], _: &Certificate, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
		Ok(HandshakeSignatureValid::assertion())
	}

	fn verify_tls13_signature(&self, _: &[u8], _: &Certificate, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
		Ok(HandshakeSignatureValid::assertion())
	}
}

type Open = (TcpStream, ClientConnection);

fn connect(
	port: u16, name: &str, suite: SupportedCipherSuite, version: &'static SupportedProtocolVersion,
) -> Result<Open, Box<dyn std::error::Error>> {
	let config = ClientConfig::builder()
		.with_cipher_suites(&[suite])
		.with_safe_default_kx_groups()
		.with_protocol_versions(&[version])?
		.with_custom_certificate_verifier(Arc::new(Anybody))
		.with_no_client_auth();
	let mut connection = ClientConnection::new(Arc::new(config), name.try_into()?)?;
	let mut socket = TcpStream::connect(("127.0.0.1", port))?;

	socket.set_read_timeout(Some(Duration::from_secs(3)))?;
	while connection.is_handshaking() {
		connection.complete_io(&mut socket)?;
	}
	Ok((socket, connection))
}

fn main() {
	let args: Vec<String> = std::env::args().collect();
	let port = args[1].parse().expect("a port");
	let mut open: Vec<Open> = Vec::new();
	let mut count = 0;

	for version in rustls::ALL_VERSIONS {
		for suite in rustls::ALL_CIPHER_SUITES {
			let name = format!("r{}.{}", count, args[2]);

			count += 1;
			// others are of the other version, or for the other kind of key
			if let Ok((socket, connection)) = connect(port, &name, *suite, version) {
				let version = format!("{:?}", connection.protocol_version().expect("settled")).replace('_', ".");
				let suite = format!("{:?}", connection.negotiated_cipher_suite().expect("settled").suite()).replace("TLS13_", "TLS_");

				println!("{} {} {}", name, version, suite);
				open.push((socket, connection));
			}
		}
	}
	println!("done");
	std::thread::sleep(Duration::from_secs(3600));
}
