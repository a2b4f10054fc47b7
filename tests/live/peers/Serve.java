// SPDX-License-Identifier: BSD-2-Clause
//
// Serve PORT CERT KEY [CERT KEY]: a TLS server that takes every version and suite JSSE has, SSLv3 and export suites
// among them; the keys are of different kinds. Each connection that settles stays open.
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

public class Serve {
	static PrivateKey key(String file, String kind) throws Exception {
		String text = Files.readString(Path.of(file)).replaceAll("-----[A-Z ]+-----|\\s", "");

		return KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
	}

	static void stay(SSLSocket socket) {
		try (socket) {
			socket.setTcpNoDelay(true); // a flight of SSLv3 is more than one write
			socket.startHandshake();
			while (socket.getInputStream().read() >= 0)
				;
		} catch (Exception e) {
			// the client and this server had nothing in common, or it is gone
		}
	}

	public static void main(String[] args) throws Exception {
		KeyStore store = KeyStore.getInstance("PKCS12");
		char[] nothing = new char[0];

		Security.setProperty("jdk.tls.disabledAlgorithms", "");
		Security.setProperty("jdk.tls.legacyAlgorithms", "");
		Security.setProperty("jdk.certpath.disabledAlgorithms", "");
		store.load(null, nothing);
		for (int i = 1; i < args.length; i += 2) {
			Certificate cert;

			try (var in = Files.newInputStream(Path.of(args[i]))) {
				cert = CertificateFactory.getInstance("X.509").generateCertificate(in);
			}
			store.setKeyEntry("key" + i, key(args[i + 1], cert.getPublicKey().getAlgorithm()), nothing, new Certificate[] {cert});
		}
		KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
		keys.init(store, nothing);
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(keys.getKeyManagers(), null, null);
		SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(
			Integer.parseInt(args[0]), 50, java.net.InetAddress.getByName("127.0.0.1"));
		listener.setEnabledProtocols(new String[] {"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"});
		listener.setEnabledCipherSuites(listener.getSupportedCipherSuites());
		while (true) {
			SSLSocket socket = (SSLSocket) listener.accept();
			Thread thread = new Thread(() -> stay(socket));

			thread.setDaemon(true);
			thread.start();
		}
	}
}
