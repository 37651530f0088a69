// Command network-policies enforces NetworkPolicies on one node with kube-router's policy controller (iptables and
// ipset), without its router and its proxy.
//
// It runs in the network namespace of the node, answers 200 at /healthz once the rules of the first synchronisation are
// in the kernel, and leaves the rules in place when it ends: a stopped controller must not open the network.
package main

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// settings are the flags; each one is required.
type settings struct {
	kubeconfig, node, services, health string
}

func parse() settings {
	var s settings
	flag.StringVar(&s.kubeconfig, "kubeconfig", "", "file with the API server's address and the client's certificate")
	flag.StringVar(&s.node, "node", "", "name of this node")
	flag.StringVar(&s.services, "service-cidr", "", "network of the Services' addresses")
	flag.StringVar(&s.health, "health", "", "address and port of /healthz")
	flag.Parse()
	if s.kubeconfig == "" || s.node == "" || s.services == "" || s.health == "" {
		klog.Fatal("-kubeconfig, -node, -service-cidr and -health are all required")
	}
	return s
}

// serveHealth answers 503 until the first synchronisation is over.
func serveHealth(address string, synced *atomic.Bool) {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !synced.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		klog.Fatalf("/healthz at %s: %v", address, err)
	}
}

// watch hands every change of pods, namespaces and policies to the controller.
func watch(ctx context.Context, factory informers.SharedInformerFactory, npc *netpol.NetworkPolicyController) error {
	handlers := map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		factory.Core().V1().Pods().Informer():                  npc.PodEventHandler,
		factory.Core().V1().Namespaces().Informer():            npc.NamespaceEventHandler,
		factory.Networking().V1().NetworkPolicies().Informer(): npc.NetworkPolicyEventHandler,
	}
	for informer, handler := range handlers {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	for kind, ok := range factory.WaitForCacheSync(ctx.Done()) {
		if !ok {
			return errors.New("ended before all " + kind.String() + " were read")
		}
	}
	return nil
}

func run(ctx context.Context, s settings) error {
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	settings := options.NewKubeRouterConfig()
	settings.ClusterIPCIDRs = []string{s.services}
	settings.HostnameOverride = s.node
	settings.EnableIPv4 = true
	tables, sets, err := netpol.NewIPTablesHandlers(settings)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	npc, err := netpol.NewNetworkPolicyController(client, settings, factory.Core().V1().Pods().Informer(),
		factory.Networking().V1().NetworkPolicies().Informer(), factory.Core().V1().Namespaces().Informer(),
		&sync.Mutex{}, tables, sets)
	if err != nil {
		return err
	}

	var synced atomic.Bool
	go serveHealth(s.health, &synced)
	if err := watch(ctx, factory, npc); err != nil {
		return err
	}
	var running sync.WaitGroup
	running.Add(1)
	beats := make(chan *healthcheck.ControllerHeartbeat, 8)
	go npc.Run(beats, ctx.Done(), &running)
	// A beat marks the start of a synchronisation, and they run one after the other: the second tells that the first is over.
	for count := 1; ; count++ {
		select {
		case <-ctx.Done():
			running.Wait()
			return nil
		case <-beats:
			if count == 1 {
				npc.RequestFullSync()
			}
			synced.Store(count > 1 || synced.Load())
		}
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, parse()); err != nil {
		klog.Fatal(err)
	}
}
