// SPDX-License-Identifier: BSD-2-Clause
//
// serve.js PORT DH CERT KEY [CERT KEY]: a TLS server that takes every version and suite its Node has.
const fs = require("fs");
const tls = require("tls");
const [, , port, dh, ...pairs] = process.argv;
const read = (files) => files.map((f) => fs.readFileSync(f));

tls.createServer({
	ciphers: "ALL:COMPLEMENTOFALL", ecdhCurve: "auto", dhparam: fs.readFileSync(dh),
	cert: read(pairs.filter((_, i) => i % 2 === 0)), key: read(pairs.filter((_, i) => i % 2)),
}, (socket) => socket.on("error", () => {}).resume()).on("tlsClientError", () => {}).listen(port, "127.0.0.1");
