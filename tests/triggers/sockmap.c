/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockmap: both ends of a connection in one BPF sockmap, as service meshes do on one host. Programs put
 * them there as soon as they are established and redirect what each end sends to the other's receive
 * queue. It sends a PING in plaintext to PORT of 127.0.0.1 and waits for the reply; no packet has either.
 *
 * Ground truth: "port" and "received" (bytes).
 */
#include <linux/bpf.h>

#include "net.h"

#define REPLY_S 5
#define OP_ACTIVE 4 /* BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB */
#define OP_PASSIVE 5

#define INSN(c, d, s, o, i)                                                                        \
	{                                                                                          \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                \
	}
#define MOV(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define LOAD_MAP(d, fd)                                                                            \
	INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)
#define JUMP_NE(d, i, o) INSN(BPF_JMP32 | BPF_JNE | BPF_K, d, 0, o, i)
#define JUMP(o) INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define CALL(f) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int load(int type, int attach, const char *name, const struct bpf_insn *insns, size_t n)
{
	union bpf_attr attr = {.prog_type = type,
			       .expected_attach_type = attach,
			       .insns = (uintptr_t)insns,
			       .insn_cnt = n,
			       .license = (uintptr_t) "GPL"};
	int fd;

	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	fd = (int)bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		trigger_die("program of type %d", type);
	return fd;
}

/* The client's end is entry 0, the server's entry 1. */
static int load_adder(int map, int port)
{
	const struct bpf_insn insns[] = {
		MOV(6, 1),
		LOAD(2, 6, offsetof(struct bpf_sock_ops, op)),
		JUMP_NE(2, OP_ACTIVE, 4),
		LOAD(3, 6, offsetof(struct bpf_sock_ops, remote_port)),
		JUMP_NE(3, (int)htonl(port), 14),
		MOV_IMM(4, 0),
		JUMP(4),
		JUMP_NE(2, OP_PASSIVE, 11),
		LOAD(3, 6, offsetof(struct bpf_sock_ops, local_port)),
		JUMP_NE(3, port, 9),
		MOV_IMM(4, 1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 4, -4, 0),
		MOV(1, 6),
		LOAD_MAP(2, map),
		MOV(3, 10),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -4),
		MOV_IMM(4, 0),
		CALL(BPF_FUNC_sock_map_update),
		MOV_IMM(0, 1),
		EXIT,
	};

	return load(BPF_PROG_TYPE_SOCK_OPS, 0, "adder", insns, sizeof(insns) / sizeof(insns[0]));
}

static int load_redirect(int map, int port)
{
	const struct bpf_insn insns[] = {
		LOAD(2, 1, offsetof(struct sk_msg_md, local_port)),
		MOV_IMM(3, 1),
		JUMP_NE(2, port, 1),
		MOV_IMM(3, 0),
		LOAD_MAP(2, map),
		MOV_IMM(4, BPF_F_INGRESS),
		CALL(BPF_FUNC_msg_redirect_map),
		EXIT,
	};

	return load(BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, "redirect", insns,
		    sizeof(insns) / sizeof(insns[0]));
}

/* The root of the cgroup2 hierarchy, wherever it is mounted. */
static int open_cgroup_root(void)
{
	char dir[] = "/tmp/sockmap.XXXXXX";
	int fd;

	if (!mkdtemp(dir) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", dir, "cgroup2", 0, NULL))
		trigger_die("cgroup2");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	return fd;
}

int main(int argc, char **argv)
{
	static const char ping[] = "*1\r\n$4\r\nPING\r\n";
	union bpf_attr make = {
		.map_type = BPF_MAP_TYPE_SOCKMAP, .key_size = 4, .value_size = 4, .max_entries = 2};
	struct timeval patience = {.tv_sec = REPLY_S};
	union bpf_attr attach = {}, link = {};
	int map, fd, port;
	char reply[64];
	ssize_t n;

	if (argc != 2)
		trigger_usage("PORT");
	port = atoi(argv[1]);
	map = (int)bpf(BPF_MAP_CREATE, &make);
	if (map < 0)
		trigger_die("sockmap");
	attach.target_fd = map;
	attach.attach_bpf_fd = load_redirect(map, port);
	attach.attach_type = BPF_SK_MSG_VERDICT;
	if (bpf(BPF_PROG_ATTACH, &attach))
		trigger_die("attach to the sockmap");
	link.link_create.prog_fd = load_adder(map, port);
	link.link_create.target_fd = open_cgroup_root();
	link.link_create.attach_type = BPF_CGROUP_SOCK_OPS;
	if (bpf(BPF_LINK_CREATE, &link) < 0) /* ends with this process */
		trigger_die("attach to the cgroup");
	fd = net_connect("127.0.0.1", argv[1]);
	usleep(100000); /* the server's end is established a moment later */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, ping, sizeof(ping) - 1, 0) != sizeof(ping) - 1)
		trigger_die("send");
	n = recv(fd, reply, sizeof(reply), 0);
	trigger_report("\"port\":%d,\"received\":%zd", net_port(fd), n);
	return 0;
}
