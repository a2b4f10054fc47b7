// SPDX-License-Identifier: BSD-2-Clause
//
// settle.js PORT NAME: one connection for every version and suite that Node has; those that succeed stay open, and
// each is a line "SNI VERSION SUITE" by Node's own word, the suite by IANA's name. Last comes "done". Node 8 has
// OpenSSL 1.0.2, no TLS 1.3, and a name of OpenSSL's own for a suite.
const tls = require("tls");
const [, , port, name] = process.argv;
const old = process.versions.openssl.startsWith("1.0.");
const versions = ["TLSv1", "TLSv1.1", "TLSv1.2"].concat(old ? [] : "TLSv1.3");
// without encryption or without a certificate: had, but not listed
const unlisted = ["NULL-MD5", "NULL-SHA", "NULL-SHA256", "ECDHE-RSA-NULL-SHA", "ECDHE-ECDSA-NULL-SHA", "AECDH-NULL-SHA",
	"AECDH-RC4-SHA", "AECDH-AES128-SHA", "ADH-RC4-MD5", "ADH-DES-CBC3-SHA", "ADH-SEED-SHA", "ADH-AES256-SHA256",
	"ADH-AES128-GCM-SHA256"];
let count = 0;

const bulk = {
	"NULL": "NULL", "RC4": "RC4_128", "DES-CBC3": "3DES_EDE_CBC", "IDEA-CBC": "IDEA_CBC", "SEED": "SEED_CBC",
	"AES128": "AES_128_CBC", "AES256": "AES_256_CBC", "AES128-GCM": "AES_128_GCM", "AES256-GCM": "AES_256_GCM",
	"CAMELLIA128": "CAMELLIA_128_CBC", "CAMELLIA256": "CAMELLIA_256_CBC",
};

// OpenSSL leaves the usual out of a name: the RSA key exchange, CBC, how long RC4's key is.
function iana(name) {
	const [, exchange, cipher, hash] = name.match(/^(?:((?:ECDHE?|DHE?|EDH)-(?:RSA|ECDSA|DSS)|A(?:ECDH|DH))-)?(.*)-(.*)$/);
	const key = (exchange || "RSA").replace("EDH", "DHE").replace(/^A(.*)/, "$1_anon").replace("-", "_");

	return `TLS_${key}_WITH_${bulk[cipher]}_${hash}`;
}

function limits(version, cipher) {
	if (old)
		return {secureProtocol: `${version.replace(".", "_")}_method`, ciphers: cipher, ecdhCurve: "auto"};
	return {
		minVersion: version, maxVersion: version,
		ciphers: version === "TLSv1.3" ? cipher : `${cipher}:@SECLEVEL=0`,
	};
}

function connect(version, cipher) {
	const servername = `n${count++}.${name}`;

	return new Promise((resolve) => {
		let socket;

		try {
			socket = tls.connect(Object.assign(limits(version, cipher), {
				host: "127.0.0.1", port, servername, rejectUnauthorized: false,
			}), () => {
				const settled = socket.getCipher();

				console.log(servername, socket.getProtocol(), settled.standardName || iana(settled.name));
				resolve();
			});
		} catch (unknown) { // to this OpenSSL
			resolve();
			return;
		}
		socket.on("error", resolve);
		socket.on("close", resolve);
	});
}

async function main() {
	const ciphers = tls.getCiphers().map((c) => c.toUpperCase()).concat(unlisted);

	for (const version of versions) {
		const fit = ciphers.filter((c) => c.startsWith("TLS_") === (version === "TLSv1.3"));

		await Promise.all(fit.map((c) => connect(version, c)));
	}
	console.log("done");
	setInterval(() => {}, 1000);
}

main();
