// SPDX-License-Identifier: BSD-2-Clause
/* html.c - see html.h. */
#include "attest/html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
	":root{--ink:#1b1f24;--dim:#59636e;--line:#d1d9e0;--bad:#b42318;--fine:#1a7f37;--warn:#9a6700;--soft:#f6f8fa}\n"
	"*{box-sizing:border-box}\n"
	"body{font:15px/1.5 system-ui,'Liberation Sans','DejaVu Sans',sans-serif;color:var(--ink);background:#fff;"
	"max-width:62rem;margin:0 auto;padding:1.5rem}\n"
	"h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem;overflow-wrap:anywhere}\n"
	"h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}\n"
	"p,ul{margin:.4rem 0}li{margin:.15rem 0}\n"
	".verdict{border-left:6px solid var(--line);background:var(--soft);padding:.8rem 1rem;margin:1rem 0}\n"
	".verdict b{font-size:1.1rem}.bad{border-color:var(--bad)}.bad b{color:var(--bad)}.fine{border-color:var(--fine)}"
	".fine b{color:var(--fine)}.warn{border-color:var(--warn)}.warn b{color:var(--warn)}\n"
	".dim{color:var(--dim)}\n"
	"code,pre,.path{font-family:ui-monospace,'Liberation Mono','DejaVu Sans Mono',monospace;font-size:.87em;"
	"overflow-wrap:anywhere}\n"
	"pre{background:var(--soft);padding:.7rem;white-space:pre-wrap;overflow-wrap:anywhere}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;width:100%;font-size:.92em}\n"
	"th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);"
	"overflow-wrap:anywhere}\n"
	"th{font-weight:600;color:var(--dim);white-space:nowrap;overflow-wrap:normal}td.n,th.n{text-align:right;white-space:nowrap}\n"
	"td.t{white-space:nowrap}table.standards td:first-child{min-width:7.5rem}table.servers td:first-child{min-width:9rem}\n"
	"svg{width:100%;height:auto;display:block}svg text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#59636e}\n"
	".tree,.tree ul{list-style:none;padding-left:1.1rem;border-left:2px solid var(--line)}.tree{padding-left:.6rem}\n"
	"@media(max-width:40rem){body{padding:1rem .8rem}table.rows thead{display:none}"
	"table.rows,table.rows tbody,table.rows tr,table.rows td{display:block;border:0}"
	"table.rows tr{border-bottom:1px solid var(--line);padding:.4rem 0}table.rows td{padding:.05rem 0;text-align:left;"
	"white-space:normal}table.rows td[title]::before{content:attr(title) ': ';color:var(--dim)}}\n"
	"@media print{body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}tr,li,svg,.verdict{break-inside:avoid}"
	"thead{display:table-header-group}.wide{overflow:visible}th{white-space:normal;overflow-wrap:normal}"
	"table.servers{font-size:.78em}table.servers td:first-child{min-width:7rem}}\n"
	"@page{margin:18mm 15mm}\n";

void html_begin(FILE *f, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\">\n<title>",
	      f);
	html_text(f, title);
	fputs("</title>\n<style>\n", f);
	fputs(style, f);
	fputs("</style>\n</head>\n<body>\n", f);
}

void html_end(FILE *f)
{
	fputs("</body>\n</html>\n", f);
}

/* The character at s. Returns its length in bytes, 0 if it is no valid UTF-8. */
static size_t decode(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80	     ? 1
		   : s[0] >> 5 == 6  ? 2
		   : s[0] >> 4 == 14 ? 3
		   : s[0] >> 3 == 30 ? 4
				     : 0;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (!n || (n > 1 && c < smallest[n]) || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* What a reader would not see, or see elsewhere. */
static bool is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

static void put_char(FILE *f, uint32_t c, const char *bytes, size_t n)
{
	if (c == '&')
		fputs("&amp;", f);
	else if (c == '<')
		fputs("&lt;", f);
	else if (c == '>')
		fputs("&gt;", f);
	else if (c == '"')
		fputs("&quot;", f);
	else if (c == '\'')
		fputs("&#39;", f);
	else if (is_hidden(c))
		fprintf(f, "[U+%04" PRIX32 "]", c);
	else
		fwrite(bytes, 1, n, f);
}

void html_text(FILE *f, const char *text)
{
	for (const char *at = text ?: ""; *at;) {
		uint32_t c = 0;
		size_t n = decode((const unsigned char *)at, &c);

		if (n)
			put_char(f, c, at, n);
		else
			fprintf(f, "[0x%02X]", (unsigned char)*at);
		at += n ?: 1;
	}
}

void html_lines(FILE *f, const char *text)
{
	char line[HTML_LINE_LEN];

	for (const char *at = text ?: ""; *at;) {
		size_t n = strcspn(at, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, at);
		html_text(f, line);
		fputc('\n', f);
		at += n + (at[n] == '\n');
	}
}

void html_put(FILE *f, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n >= 0)
		html_text(f, text);
	free(n >= 0 ? text : NULL);
}
