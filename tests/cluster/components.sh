# shellcheck shell=bash
# The parts of the cluster and how each is started. Paths are those inside its
# mount namespace (see init). Sourced by up and component.

COMPONENTS=(etcd containerd docker-registry kube-apiserver kube-controller-manager kube-scheduler kubelet)

CLUSTER=/run/state/bin/cluster
PKI=/run/state/pki
CONF=/run/state/conf

start() {
  case $1 in
    etcd) start_component etcd 2379,2380 $CLUSTER etcd --data-dir /var/lib/etcd ;;
    containerd) start_component containerd - containerd --config $CONF/containerd.toml ;;
    docker-registry) start_component docker-registry "${REGISTRY#*:}" docker-registry serve $CONF/registry.yaml ;;
    kube-apiserver) start_apiserver ;;
    kube-controller-manager) start_controller_manager ;;
    kube-scheduler)
      start_component kube-scheduler 10259 $CLUSTER kube-scheduler --kubeconfig $PKI/scheduler.kubeconfig \
        --leader-elect=false --bind-address 127.0.0.1 --authentication-skip-lookup
      ;;
    kubelet)
      start_component kubelet 10250 $CLUSTER kubelet --config $CONF/kubelet.yaml --kubeconfig $PKI/kubelet.kubeconfig \
        --hostname-override node --node-ip "$NODE_IP"
      ;;
  esac
}

start_apiserver() {
  start_component kube-apiserver "$API_PORT" $CLUSTER kube-apiserver \
    --etcd-servers http://127.0.0.1:2379 --advertise-address "$NODE_IP" --secure-port "$API_PORT" \
    --tls-cert-file $PKI/apiserver.crt --tls-private-key-file $PKI/apiserver.key --client-ca-file $PKI/ca.crt \
    --service-cluster-ip-range 10.96.0.0/16 --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file $PKI/service-account.pub \
    --service-account-signing-key-file $PKI/service-account.key --allow-privileged \
    --kubelet-client-certificate $PKI/apiserver-kubelet.crt --kubelet-client-key $PKI/apiserver-kubelet.key \
    --kubelet-preferred-address-types InternalIP
}

start_controller_manager() {
  start_component kube-controller-manager 10257 $CLUSTER kube-controller-manager \
    --kubeconfig $PKI/controller-manager.kubeconfig --leader-elect=false --bind-address 127.0.0.1 \
    --authentication-skip-lookup --use-service-account-credentials --root-ca-file $PKI/ca.crt \
    --horizontal-pod-autoscaler-sync-period 3s \
    --service-account-private-key-file $PKI/service-account.key \
    --cluster-signing-cert-file $PKI/ca.crt --cluster-signing-key-file $PKI/ca.key \
    --flex-volume-plugin-dir /var/lib/kubelet/volume-plugins
}
