# What the trials share: packages of both kinds come and go. Needs `kind` (deb or rpm).

fail() { echo "trial: $*" >&2; exit 1; }
says() { echo "   $*"; }

# What the programs around it print is of interest only if they fail.
quietly() { "$@" >log 2>&1 || { cat log; fail "\`$*\` failed"; }; }
install_() { case $kind in deb) quietly dpkg --install "$1" ;; rpm) quietly rpm --install --nodeps --force-debian "$1" ;; esac; }
update() { case $kind in deb) quietly dpkg --install "$1" ;; rpm) quietly rpm --upgrade --nodeps --force-debian "$1" ;; esac; }
remove() { case $kind in deb) quietly dpkg --remove "$1" ;; rpm) quietly rpm --erase --force-debian "$1" ;; esac; }
version() { case $kind in deb) dpkg-query --show --showformat '${Version}' "$1" ;; rpm) rpm --query --queryformat '%{VERSION}' "$1" ;; esac; }
