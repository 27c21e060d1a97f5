// Command cluster is a whole Kubernetes in one binary: etcd, the control
// plane, the kubelet and kubectl, each under its released name. It only
// dispatches; `up` beside it owns flags, certificates and the order of starts.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // a CronJob may name a time zone, and the machine may have none

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// subcommands builds each command only when it is asked for: the constructors
// write to process-wide registries (feature gates, signal handlers) and would
// meet there.
var subcommands = map[string]func() int{
	"etcd":                    func() int { return cli.Run(newEtcdCommand()) },
	"kube-apiserver":          component(apiserver.NewAPIServerCommand),
	"kube-controller-manager": component(controllermanager.NewControllerManagerCommand),
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kubelet":                 func() int { return cli.Run(kubelet.NewKubeletCommand(context.Background())) },
	"kubectl":                 runKubectl,
}

func main() {
	name, args := chosen(os.Args)
	run, known := subcommands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "cluster: %q is no subcommand; there are %s\n", name, strings.Join(names(), ", "))
		os.Exit(2)
	}
	// cobra reads os.Args, so the subcommand takes the place of the binary.
	os.Args = append([]string{name}, args...)
	os.Exit(run())
}

// chosen takes the subcommand from the name of the link that was called, so that
// a link `kubectl` is a kubectl, and otherwise from the first argument.
func chosen(argv []string) (string, []string) {
	if called := filepath.Base(argv[0]); subcommands[called] != nil {
		return called, argv[1:]
	}
	if len(argv) < 2 {
		return "", nil
	}
	return argv[1], argv[2:]
}

func component(command func() *cobra.Command) func() int {
	return func() int { return cli.Run(command()) }
}

func runKubectl() int {
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}

func names() []string {
	var all []string
	for name := range subcommands {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
