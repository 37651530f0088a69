// Nominal-resizer grants volumes of one provisioner the size that their claims ask for.
//
// A volume of the local provisioner is a directory without a quota: its size is a number that nothing holds it to, and so is a larger one.
// The number is set where a driver's resizer would set it, first on the volume and then on the claim. Whether a class expands at all is the
// API server's to judge, by the class's allowVolumeExpansion, before a claim can ask for more.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	account       = "/var/run/secrets/kubernetes.io/serviceaccount/"
	provisionedBy = "pv.kubernetes.io/provisioned-by"
	claims        = "/api/v1/persistentvolumeclaims"
	volumes       = "/api/v1/persistentvolumes/"
	// A watch ends by itself after that long; what it missed is seen in the list that follows.
	watchSeconds = 300
)

type object struct {
	Metadata struct {
		Name            string            `json:"name"`
		Namespace       string            `json:"namespace"`
		ResourceVersion string            `json:"resourceVersion"`
		Annotations     map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		VolumeName string            `json:"volumeName"`
		Capacity   map[string]string `json:"capacity"`
		Resources  struct {
			Requests map[string]string `json:"requests"`
		} `json:"resources"`
	} `json:"spec"`
	Status struct {
		Phase    string            `json:"phase"`
		Capacity map[string]string `json:"capacity"`
	} `json:"status"`
}

type client struct {
	server string
	http   *http.Client
}

func main() {
	provisioner := flag.String("provisioner", "", "name of the provisioner whose volumes are granted their size")
	flag.Parse()
	log.SetFlags(0)
	if *provisioner == "" {
		log.Fatal("nominal-resizer: -provisioner is required")
	}
	api, err := inCluster()
	if err != nil {
		log.Fatalf("nominal-resizer: %v", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	for ctx.Err() == nil {
		if err := api.follow(ctx, *provisioner); err != nil && ctx.Err() == nil {
			log.Printf("starting over: %v", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// inCluster reads what every pod is given to talk to its API server.
func inCluster() (*client, error) {
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("the service account's ca.crt holds no certificate")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	transport.ResponseHeaderTimeout = 30 * time.Second
	address := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	return &client{server: "https://" + address, http: &http.Client{Transport: transport}}, nil
}

// call sends one request; the token is read each time, since it is renewed under way.
func (c *client) call(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, content)
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	request.Header.Set("Content-Type", "application/merge-patch+json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		reason, _ := io.ReadAll(io.LimitReader(response.Body, 2000))
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(reason))
	}
	return response, nil
}

func (c *client) read(ctx context.Context, path string, into any) error {
	response, err := c.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(into)
}

func (c *client) patch(ctx context.Context, path string, body any) error {
	response, err := c.call(ctx, http.MethodPatch, path+"?fieldManager=nominal-resizer", body)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// follow grants what is asked for now, and then each claim as it changes, until its watch ends.
func (c *client) follow(ctx context.Context, provisioner string) error {
	var now struct {
		object
		Items []object `json:"items"`
	}
	if err := c.read(ctx, claims, &now); err != nil {
		return err
	}
	for _, claim := range now.Items {
		c.grant(ctx, provisioner, claim)
	}
	query := fmt.Sprintf("?watch=true&timeoutSeconds=%d&resourceVersion=%s", watchSeconds, now.Metadata.ResourceVersion)
	response, err := c.call(ctx, http.MethodGet, claims+query, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	events := json.NewDecoder(bufio.NewReader(response.Body))
	for {
		var event struct {
			Type   string `json:"type"`
			Object object `json:"object"`
		}
		if err := events.Decode(&event); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		switch event.Type {
		case "ADDED", "MODIFIED":
			c.grant(ctx, provisioner, event.Object)
		case "ERROR":
			return errors.New("the watch has expired")
		}
	}
}

// grant sets the size of one claim and its volume. What fails is tried again when the claim is next seen.
func (c *client) grant(ctx context.Context, provisioner string, claim object) {
	wanted := claim.Spec.Resources.Requests["storage"]
	if claim.Status.Phase != "Bound" || !less(claim.Status.Capacity["storage"], wanted) {
		return
	}
	name := claim.Metadata.Namespace + "/" + claim.Metadata.Name
	var volume object
	if err := c.read(ctx, volumes+claim.Spec.VolumeName, &volume); err != nil {
		log.Printf("%s: %v", name, err)
		return
	}
	if volume.Metadata.Annotations[provisionedBy] != provisioner {
		return
	}
	size := map[string]string{"storage": wanted}
	if less(volume.Spec.Capacity["storage"], wanted) {
		body := map[string]any{"spec": map[string]any{"capacity": size}}
		if err := c.patch(ctx, volumes+claim.Spec.VolumeName, body); err != nil {
			log.Printf("%s: %v", name, err)
			return
		}
	}
	status := map[string]any{"status": map[string]any{"capacity": size, "conditions": nil}}
	path := "/api/v1/namespaces/" + claim.Metadata.Namespace + "/persistentvolumeclaims/" + claim.Metadata.Name + "/status"
	if err := c.patch(ctx, path, status); err != nil {
		log.Printf("%s: %v", name, err)
		return
	}
	log.Printf("%s: %s is granted; its directory has no limit", name, wanted)
}

// less compares two quantities; one that can't be read is less than nothing and more than nothing.
func less(left, right string) bool {
	a, b := bytesOf(left), bytesOf(right)
	return a != nil && b != nil && a.Cmp(b) < 0
}

// bytesOf reads a quantity as the API server writes those of storage: a number and a unit.
func bytesOf(quantity string) *big.Rat {
	units := map[string]int64{
		"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
		"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60,
	}
	number := strings.TrimRight(quantity, "kKMGTPEi")
	unit, known := units[quantity[len(number):]]
	amount, ok := new(big.Rat).SetString(number)
	if !known || !ok {
		return nil
	}
	return amount.Mul(amount, new(big.Rat).SetInt64(unit))
}
