/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verifier_cost OBJECT... - what each BPF program of the object files costs the kernel's verifier.
 *
 * Loads one program at a time and attaches none. Prints one line per program, fields separated by
 * tabs:
 *
 *     OBJECT PROGRAM INSTRUCTIONS STACK     instructions processed, bytes of stack of all its frames
 *     OBJECT PROGRAM - REASON               this kernel refuses the program
 *
 * The loader sets the `const volatile` integers of an object before it loads it, and the verifier
 * skips the branches they rule out. Each program is therefore loaded with all of them 0 and with all
 * of them 1, and the larger figures count.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define LOG_STATS 4 /* BPF_LOG_STATS, kernel/bpf/verifier.c: only the summary */
#define LOG_ROOM 65536

struct cost {
	unsigned long instructions;
	unsigned long stack;
};

static char verifier_log[LOG_ROOM];

static int no_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return 0;
}

/* Whether a variable is a `const volatile` integer of four bytes. */
static int is_setting(const struct btf *btf, const struct btf_type *var)
{
	const struct btf_type *t = btf__type_by_id(btf, var->type);
	int is_const = 0, is_volatile = 0;

	while (btf_is_const(t) || btf_is_volatile(t) || btf_is_typedef(t)) {
		is_const |= btf_is_const(t);
		is_volatile |= btf_is_volatile(t);
		t = btf__type_by_id(btf, t->type);
	}
	return is_const && is_volatile && btf_is_int(t) && t->size == sizeof(__u32);
}

/* Writes value to every setting of the object. Returns how many there are, or a negative errno. */
static int set_settings(struct bpf_object *obj, __u32 value)
{
	const struct btf *btf = bpf_object__btf(obj);
	struct bpf_map *rodata = bpf_object__find_map_by_name(obj, ".rodata");
	int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -ENOENT;
	const struct btf_var_secinfo *var;
	const struct btf_type *section;
	int settings = 0, err;
	size_t size;
	char *image;

	if (!rodata || id < 0)
		return 0;
	section = btf__type_by_id(btf, id);
	var = btf_var_secinfos(section);
	size = bpf_map__value_size(rodata);
	image = malloc(size);
	if (!image)
		return -ENOMEM;
	memcpy(image, bpf_map__initial_value(rodata, &size), size);
	for (int i = 0; i < btf_vlen(section); i++) {
		if (!is_setting(btf, btf__type_by_id(btf, var[i].type)))
			continue;
		memcpy(image + var[i].offset, &value, sizeof(value));
		settings++;
	}
	err = bpf_map__set_initial_value(rodata, image, size);
	free(image);
	return err ? err : settings;
}

/* Reads "processed N insns" and "stack depth A+B+...", one number for each function. */
static int parse_log(struct cost *cost)
{
	const char *insns = strstr(verifier_log, "processed ");
	const char *stack = strstr(verifier_log, "stack depth ");

	if (!insns || !stack || sscanf(insns, "processed %lu insns", &cost->instructions) != 1)
		return -EPROTO;
	cost->stack = 0;
	for (stack += strlen("stack depth") + 1;; stack++) {
		char *end;

		cost->stack += strtoul(stack, &end, 10);
		stack = end;
		if (*stack != '+')
			return 0;
	}
}

/* Loads one program of an object with its settings at value. Returns 0 or a negative errno. */
static int load_one(const char *path, const char *name, __u32 value, struct cost *cost)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog, *wanted;
	int err;

	if (!obj)
		return -errno;
	bpf_object__for_each_program (prog, obj)
		bpf_program__set_autoload(prog, false);
	wanted = bpf_object__find_program_by_name(obj, name);
	bpf_program__set_autoload(wanted, true);
	bpf_program__set_log_level(wanted, LOG_STATS);
	bpf_program__set_log_buf(wanted, verifier_log, sizeof(verifier_log));
	verifier_log[0] = '\0';
	err = set_settings(obj, value);
	if (err >= 0)
		err = bpf_object__load(obj);
	if (!err)
		err = parse_log(cost);
	bpf_object__close(obj);
	return err;
}

/* ": " and the verifier's last line before its statistics. */
static const char *complaint(void)
{
	static char text[200];
	char *end = strstr(verifier_log, "\nverification time"), *line;

	if (!end)
		end = strstr(verifier_log, "\nprocessed ");
	if (!end)
		return "";
	*end = '\0';
	line = strrchr(verifier_log, '\n');
	snprintf(text, sizeof(text), ": %.180s", line ? line + 1 : verifier_log);
	return text;
}

static void print_cost(const char *path, const char *object, const char *name)
{
	struct cost off = {}, on = {};
	int err = load_one(path, name, 0, &off);

	if (!err)
		err = load_one(path, name, 1, &on);
	if (err) {
		printf("%s\t%s\t-\t%s%s\n", object, name, strerror(-err), complaint());
		return;
	}
	printf("%s\t%s\t%lu\t%lu\n", object, name,
	       off.instructions > on.instructions ? off.instructions : on.instructions,
	       off.stack > on.stack ? off.stack : on.stack);
}

static int print_object(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char object[64];
	struct bpf_program *prog;

	if (!obj) {
		fprintf(stderr, "verifier_cost: %s: %s\n", path, strerror(errno));
		return -1;
	}
	snprintf(object, sizeof(object), "%.*s", (int)strcspn(file, "."), file);
	bpf_object__for_each_program (prog, obj)
		print_cost(path, object, bpf_program__name(prog));
	bpf_object__close(obj);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: verifier_cost OBJECT...\n");
		return 2;
	}
	libbpf_set_print(no_print);
	for (int i = 1; i < argc; i++) {
		if (print_object(argv[i]))
			return 3;
	}
	return 0;
}
