# Says of each PAM file why sessions that go through it are not confined by its last line; nothing where they are. Reads lines
# as libpam does: comments end them, a backslash goes on in the next, a type with "-" in front passes when the module is missing.

function take(line, text) {
	sub(/#.*/, "", text)
	gsub(/[ \t]+/, " ", text)
	sub(/^ /, "", text)
	sub(/ $/, "", text)
	if (tolower(text) !~ /^-?session / && text !~ /^@include /)
		return
	before = last
	last = text
	at = line
	if (text ~ /[ \/]pam_jail\.so( |$)/)
		seen = 1
}

function look(file,    line, text, number, r) {
	before = last = ""
	at = seen = number = 0
	text = ""
	while ((r = (getline line < file)) > 0) {
		number++
		text = text line
		if (sub(/\\$/, " ", text))
			continue
		take(number, text)
		text = ""
	}
	close(file)
	if (r < 0)
		print file ": can't be read"
	else if (!seen)
		print file ": no line \"" jail "\""
	else if (last !~ /[ \/]pam_jail\.so( |$)/)
		print file ": line " at ", \"" last "\", stands behind pam_jail.so"
	else if (last !~ /^session (required|requisite) ([^ ]*\/)?pam_jail\.so( |$)/)
		print file ": line " at " is \"" last "\" instead of \"" jail "\""
	else if (before != guard)
		print file ": right before line " at " there is no \"" guard "\", and without the module root would be refused"
}

BEGIN {
	jail = "session required pam_jail.so"
	guard = "session [success=1 default=ignore] pam_succeed_if.so quiet uid = 0"
	for (i = 1; i < ARGC; i++)
		look(ARGV[i])
	exit
}
