// SPDX-License-Identifier: BSD-2-Clause
//
// Settle PORT NAME [VERSION...]: one connection for every version (TLS 1.0 to 1.3 if none is named) and suite that JSSE
// has; those that succeed stay open, and each is a line "SNI VERSION SUITE" by JSSE's own word, the suite by IANA's
// name. Last comes "done".
import java.security.Security;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

public class Settle {
	static class Anybody extends X509ExtendedTrustManager {
		public void checkClientTrusted(X509Certificate[] c, String a) {}
		public void checkServerTrusted(X509Certificate[] c, String a) {}
		public void checkClientTrusted(X509Certificate[] c, String a, java.net.Socket s) {}
		public void checkServerTrusted(X509Certificate[] c, String a, java.net.Socket s) {}
		public void checkClientTrusted(X509Certificate[] c, String a, javax.net.ssl.SSLEngine e) {}
		public void checkServerTrusted(X509Certificate[] c, String a, javax.net.ssl.SSLEngine e) {}
		public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
	}

	public static void main(String[] args) throws Exception {
		List<SSLSocket> open = new ArrayList<>();
		List<String> versions = args.length > 2 ? List.of(args).subList(2, args.length) : List.of("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3");
		int count = 0;

		Security.setProperty("jdk.tls.disabledAlgorithms", "");
		Security.setProperty("jdk.tls.legacyAlgorithms", "");
		Security.setProperty("jdk.certpath.disabledAlgorithms", "");
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(null, new TrustManager[] {new Anybody()}, null);
		context.getClientSessionContext().setSessionTimeout(1);
		for (String version : versions) {
			for (String suite : context.getSupportedSSLParameters().getCipherSuites()) {
				SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", Integer.parseInt(args[0]));
				String name = "j" + count++ + "." + args[1];

				try {
					SSLParameters wanted = new SSLParameters(new String[] {suite}, new String[] {version});
					wanted.setServerNames(List.of(new SNIHostName(name)));
					socket.setSSLParameters(wanted);
					socket.setSoTimeout(3000);
					socket.setTcpNoDelay(true);
					socket.startHandshake();
					SSLSession session = socket.getSession();
					System.out.println(name + " " + session.getProtocol() + " " + session.getCipherSuite().replace("SSL_", "TLS_"));
					open.add(socket);
				} catch (Exception e) {
					socket.close();
				}
			}
		}
		System.out.println("done");
		Thread.sleep(3600 * 1000);
	}
}
