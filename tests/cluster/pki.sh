# shellcheck shell=bash
# Keys, certificates and kubeconfigs of one cluster, signed by a CA of its own.
# Sourced by up.

make_pki() {
  local pki=$STATE/pki
  [ ! -e "$pki/done" ] || return 0
  mkdir -p "$pki"
  openssl req -x509 $(new_key "$pki/ca.key") -subj /CN=syncwave-test-ca -days 3650 -out "$pki/ca.crt" 2>/dev/null
  certificate apiserver /CN=kube-apiserver "extendedKeyUsage=serverAuth" \
    "subjectAltName=IP:$NODE_IP,IP:$API_IP,IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  certificate apiserver-kubelet /O=system:masters/CN=apiserver-kubelet "extendedKeyUsage=clientAuth"
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$pki/service-account.key" 2>/dev/null
  openssl pkey -in "$pki/service-account.key" -pubout -out "$pki/service-account.pub"
  user controller-manager /CN=system:kube-controller-manager >"$pki/controller-manager.kubeconfig"
  user scheduler /CN=system:kube-scheduler >"$pki/scheduler.kubeconfig"
  user kubelet /O=system:nodes/CN=system:node:node >"$pki/kubelet.kubeconfig"
  user admin /O=system:masters/CN=admin >"$KUBECONFIG_FILE"
  touch "$pki/done"
}

new_key() { echo "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1"; }

# certificate NAME SUBJECT EXTENSION…
certificate() {
  local file=$STATE/pki/$1 subject=$2
  shift 2
  openssl req -new $(new_key "$file.key") -subj "$subject" -out "$file.csr" 2>/dev/null
  openssl x509 -req -in "$file.csr" -CA "$STATE/pki/ca.crt" -CAkey "$STATE/pki/ca.key" -CAcreateserial \
    -days 3650 -extfile <(printf '%s\n' "$@") -out "$file.crt" 2>/dev/null
  rm "$file.csr"
}

# user NAME SUBJECT: prints a kubeconfig with a client certificate in it.
user() {
  certificate "$1" "$2" "extendedKeyUsage=clientAuth"
  cat <<KUBECONFIG
apiVersion: v1
kind: Config
clusters:
- name: syncwave-test
  cluster:
    server: https://$NODE_IP:$API_PORT
    certificate-authority-data: $(base64 -w0 "$STATE/pki/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$STATE/pki/$1.crt")
    client-key-data: $(base64 -w0 "$STATE/pki/$1.key")
contexts:
- name: syncwave-test
  context: {cluster: syncwave-test, user: $1}
current-context: syncwave-test
KUBECONFIG
}
