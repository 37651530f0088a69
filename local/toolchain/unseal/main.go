// Command unseal opens a SealedSecret as the controller does, with the controller's own code: the tests' witness that what
// `./trellis seal` writes is what the controller reads. It reads {"key": PEM, "sealed": SealedSecret} and prints the Secret.
package main

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"os"

	"github.com/bitnami-labs/sealed-secrets/pkg/apis/sealedsecrets/v1alpha1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/keyutil"
)

type request struct {
	Key    string                `json:"key"`
	Sealed v1alpha1.SealedSecret `json:"sealed"`
}

func run() error {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	key, err := keyutil.ParsePrivateKeyPEM([]byte(asked.Key))
	if err != nil {
		return err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return fmt.Errorf("the key is no RSA key")
	}
	secret, err := asked.Sealed.Unseal(scheme.Codecs, map[string]*rsa.PrivateKey{"": private})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(secret)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
