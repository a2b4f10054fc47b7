#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# installed.sh - what `make install` installs, into a scratch directory: every file, units that systemd takes without a
# word and whose exposure is at most 2.8, man pages without warnings, completions that complete. Prints what is wrong and exits
# with 1.
set -u
cd "$(dirname "$0")/../.." || exit 1

exposure_max=28 # tenths
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
wrong=0

wrong()
{
	echo "installed.sh: $*"
	wrong=1
}

# The paths in the units are those of the scratch directory, so that what they start is there.
MAKEFLAGS='' make --no-print-directory install prefix="$top/usr" sysconfdir="$top/etc" >"$top/log" 2>&1 ||
	{ cat "$top/log"; exit 1; }
rm "$top/log"

want="etc/cachewarden/policy.yaml
usr/lib/systemd/system/cachewarden-metrics.socket
usr/lib/systemd/system/cachewarden.service
usr/sbin/cachewarden
usr/share/bash-completion/completions/cachewarden
usr/share/cachewarden/alerts.yml
usr/share/cachewarden/dashboard.json
usr/share/fish/vendor_completions.d/cachewarden.fish
usr/share/man/man1/cachewarden-evidence.1
usr/share/man/man1/cachewarden-validate.1
usr/share/man/man1/cachewarden-witness.1
usr/share/man/man5/cachewarden-policy.5
usr/share/man/man7/cachewarden-rules.7
usr/share/man/man8/cachewarden.8
usr/share/zsh/vendor-completions/_cachewarden"
diff <(echo "$want") <(cd "$top" && find . -type f | sed 's|^\./||' | LC_ALL=C sort) ||
	wrong "other files than these are installed"

"$top/usr/sbin/cachewarden" policy check "$top/etc/cachewarden/policy.yaml" >/dev/null ||
	wrong "the default policy is not valid"
echo "# mine" >>"$top/etc/cachewarden/policy.yaml"
MAKEFLAGS='' make --no-print-directory install prefix="$top/usr" sysconfdir="$top/etc" >/dev/null 2>&1
grep -q '^# mine$' "$top/etc/cachewarden/policy.yaml" || wrong "the administrator's policy is overwritten"

# DESTDIR goes before paths, and not into the unit.
MAKEFLAGS='' make --no-print-directory install DESTDIR="$top/root" prefix=/usr >/dev/null 2>&1
grep -q '^ExecStart=/usr/sbin/cachewarden run$' "$top/root/usr/lib/systemd/system/cachewarden.service" ||
	wrong "the unit starts something else"

units=$top/usr/lib/systemd/system
if command -v systemd-analyze >/dev/null; then
	said=$(systemd-analyze verify --man=no "$units"/cachewarden* 2>&1) || said="refused: $said"
	[ -z "$said" ] || wrong "units: $said"
	systemd-analyze security --no-pager --offline=yes --threshold=$exposure_max "$units/cachewarden.service" \
		>"$top/security" || wrong "$(tail -n 1 "$top/security")"
else
	echo "installed.sh: systemd-analyze is not installed: units not checked" >&2
fi

if command -v man >/dev/null; then
	for page in "$top"/usr/share/man/man*/*; do
		said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$page" 2>&1 >/dev/null)
		[ -z "$said" ] || wrong "${page##*/}: $said"
	done
fi

# offered SHELL WORD... - what it offers, one a line, to a user who presses Tab behind these words
share=$top/usr/share
offered()
{
	local shell=$1

	shift
	# shellcheck disable=SC2016 # variables of the shell that is called
	case $shell in
	bash)
		bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _cachewarden; printf "%s\n" "${COMPREPLY[@]}"' \
			- "$share/bash-completion/completions/cachewarden" "$@"
		;;
	fish)
		fish --no-config -c 'source $argv[1]; complete -C "$argv[2..]"' \
			"$share/fish/vendor_completions.d/cachewarden.fish" "$@" | cut -f 1
		;;
	zsh)
		tests/scripts/complete.zsh "$share/zsh/vendor-completions" "$@"
		;;
	esac
}

# expect SHELLS WANT WORD...: bash and zsh offer options also before a dash was typed, fish does not.
expect()
{
	local shells=$1 want=$2 shell got

	shift 2
	for shell in $shells; do
		command -v "$shell" >/dev/null || continue
		got=$(offered "$shell" cachewarden "$@" | LC_ALL=C sort | paste -sd ' ')
		[ "$got" = "$want" ] || wrong "$shell: completion of '$*': '$got', not '$want'"
	done
}
for shell in bash fish zsh; do
	command -v "$shell" >/dev/null || echo "installed.sh: $shell is not installed: its completion is not checked" >&2
done
all="bash fish zsh"
expect "$all" "status" sta
expect "$all" "check explain suggest test" policy ""
expect "bash" "--heartbeat --help" run --he
expect "fish" "--heartbeat" run --he
expect "zsh" "--heartbeat --help" run --he
expect "$all" "json text" status --output ""
expect "$all" "critical" run --fail-on c
expect "$all" "high" watch --instance redis-server:6379 --severity hi
expect "$all" "" run --sweep 5x
expect "$all" "Makefile" policy check Makef
expect "$all" "--checkpoint" evidence verify --ch

exit $wrong
