/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * impostor PORT - answers on loopback like a server that wants a password, and writes what it is sent to standard output: the ground
 * truth of what it was told. It is copied to a name of a server's.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char answer[] = "-NOAUTH Authentication required.\r\n";
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "0")),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), client;
	char sent[4096];
	ssize_t n;

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 16))
		return 1;
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		while ((n = read(client, sent, sizeof(sent))) > 0) {
			if (write(STDOUT_FILENO, sent, (size_t)n) != n ||
			    send(client, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
				break;
		}
		close(client);
	}
	return 1;
}
