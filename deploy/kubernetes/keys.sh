#!/bin/sh
# Makes a CURVE key pair for each kind of node and one for operators, and gives the cluster what it needs of them: a Secret for
# each kind of node, the allow list of the routers as a ConfigMap (public keys alone are in it), and a token for the admin listeners.
#
#   deploy/kubernetes/keys.sh [FOLDER]      # FOLDER: where the key files are kept; default: keys
#   NAMESPACE=other deploy/kubernetes/keys.sh
#
# Keys and list that are in the folder are used again: change peers.yaml there and run it once more, and the routers follow.
set -eu
umask 077
namespace=${NAMESPACE:-zeromq}
mkdir -p "${1:-keys}"
cd "${1:-keys}"

# The public or the secret key in a key file, without a newline. Keys never are arguments: everybody sees those in ps.
key() {
  sed -n "s/.*$2-key = \"\(.*\)\"/\1/p" "$1.key" | tr -d '\n'
}

# Makes an object of files, or changes the one that is there; without a copy of a Secret in its annotations.
put() {
  kubectl --namespace "$namespace" create "$@" --dry-run=client --output=yaml |
    kubectl --namespace "$namespace" apply --server-side --filename=-
}

for node in router gateway worker operator; do
  [ -e "$node.key" ] || npx zeromq-gateway keygen "$node.key" >/dev/null
done

[ -e admin-token ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >admin-token

# A worker's entry says which events it serves, and under which paths its contract may have operations.
[ -e peers.yaml ] || cat >peers.yaml <<END
peers:
  - { name: gateway, publicKey: "$(key gateway public)", role: client, calls: ["*"] }
  - { name: echo-worker, publicKey: "$(key worker public)", role: worker, serves: ["echo.*"], paths: [/echo] }
  - { name: operator, publicKey: "$(key operator public)", role: admin }
END

parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
for node in router gateway worker; do
  key "$node" public >"$parts/public-key"
  key "$node" secret >"$parts/secret-key"
  put secret generic "zeromq-$node-keys" --from-file="$parts/public-key" --from-file="$parts/secret-key"
done
put secret generic zeromq-admin-token --from-file=token=admin-token
put configmap zeromq-allow-list --from-file=peers.yaml
