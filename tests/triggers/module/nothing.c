/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nothing: a Redis module that does nothing but be loaded. It needs no redismodule.h: the context begins
 * with the function that finds the others by name.
 */
int RedisModule_OnLoad(void *ctx, void **argv, int argc);

int RedisModule_OnLoad(void *ctx, void **argv, int argc)
{
	int (*get_api)(const char *name, void *ret) = *(void **)ctx;
	void (*set_attribs)(void *ctx, const char *name, int version, int api);

	if (get_api("RedisModule_SetModuleAttribs", &set_attribs))
		return 1;
	set_attribs(ctx, "nothing", 1, 1);
	return 0;
}
