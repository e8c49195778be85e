#!/bin/sh
# Creates a CURVE key pair for each kind of node and one for operators, and stores them in the
# cluster: a Secret for each kind of node, a ConfigMap with the routers' allow list, which contains
# public keys only, and a Secret with the token of the admin listeners.
#
#     deploy/kubernetes/keys.sh [FOLDER]      # FOLDER: folder of the key files; default: keys
#     NAMESPACE=other deploy/kubernetes/keys.sh
#
# Existing keys and an existing allow list in the folder are reused. To change the allow list, edit
# peers.yaml in that folder and run the script again; the routers apply the change.
set -eu
umask 077
namespace=${NAMESPACE:-zeromq}
mkdir -p "${1:-keys}"
cd "${1:-keys}"

# Prints the public or the secret key from a key file, without a newline. Keys are never passed as
# arguments, because all users can see those in ps.
key() {
  sed -n "s/.*$2-key = \"\(.*\)\"/\1/p" "$1.key" | tr -d '\n'
}

# Creates or updates an object. Server-side apply does not copy a Secret into an annotation.
put() {
  kubectl --namespace "$namespace" create "$@" --dry-run=client --output=yaml |
    kubectl --namespace "$namespace" apply --server-side --filename=-
}

for node in router gateway worker operator; do
  [ -e "$node.key" ] || npx --no-install zeromq-gateway keygen "$node.key" >/dev/null
done

[ -e admin-token ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >admin-token

# The entry of a worker lists the events it may serve, and the paths that its contract may use.
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
