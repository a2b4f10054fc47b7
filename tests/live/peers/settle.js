// SPDX-License-Identifier: BSD-2-Clause
//
// settle.js PORT NAME: one connection for every version and suite that Node has; those that succeed stay open, and
// each is a line "SNI VERSION SUITE" by Node's own word, the suite by IANA's name. Last comes "done".
const tls = require("tls");
const [, , port, name] = process.argv;
let count = 0;

function connect(version, cipher) {
	const servername = `n${count++}.${name}`;

	return new Promise((resolve) => {
		const socket = tls.connect({
			host: "127.0.0.1", port, servername, minVersion: version, maxVersion: version,
			ciphers: version === "TLSv1.3" ? cipher : `${cipher}:@SECLEVEL=0`, rejectUnauthorized: false,
		}, () => {
			console.log(servername, socket.getProtocol(), socket.getCipher().standardName);
			resolve();
		});
		socket.on("error", resolve);
		socket.on("close", resolve);
	});
}

async function main() {
	const ciphers = tls.getCiphers().map((c) => c.toUpperCase());

	for (const version of ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]) {
		const fit = ciphers.filter((c) => c.startsWith("TLS_") === (version === "TLSv1.3"));

		await Promise.all(fit.map((c) => connect(version, c)));
	}
	console.log("done");
	setInterval(() => {}, 1000);
}

main();
