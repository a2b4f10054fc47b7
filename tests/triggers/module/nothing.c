/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module: a Redis module that does nothing but be there. What it needs of Redis it asks for by name, as the
 * module interface has it: the context begins with the function that finds the others.
 */
int RedisModule_OnLoad(void *ctx, void **argv, int argc);

int RedisModule_OnLoad(void *ctx, void **argv, int argc)
{
	int (*get)(const char *name, void *ret) = *(void **)ctx;
	void (*name_module)(void *ctx, const char *name, int version, int api);

	if (get("RedisModule_SetModuleAttribs", &name_module))
		return 1;
	name_module(ctx, "nothing", 1, 1);
	return 0;
}
