// Command psa-check evaluates every pod template in Kubernetes manifests with the upstream Pod Security evaluator.
//
// It reads multi-document YAML from the files named, or from standard input, prints one line for each finding as
// "kind/namespace/name: check: detail", then how many pod templates it evaluated. It exits 1 on findings and 2 when
// the input can't be read, so that a manifest that nobody could check never looks clean.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// template is the part of an object that becomes a pod, and the name under which findings are told.
type template struct {
	of   string
	meta *metav1.ObjectMeta
	spec *corev1.PodSpec
}

// decode reads an object strictly: a field in the wrong place would otherwise be dropped and the template look safe.
func decode(document []byte, into any) error {
	return yaml.UnmarshalStrict(document, into)
}

// podTemplate returns the pod template of a document, or nil where its kind has none.
func podTemplate(document []byte) (*template, error) {
	var object metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(document, &object); err != nil {
		return nil, err
	}
	namespace := object.Namespace
	if namespace == "" {
		namespace = "default"
	}
	name := object.Name
	if name == "" {
		name = object.GenerateName
	}
	of := fmt.Sprintf("%s/%s/%s", object.Kind, namespace, name)

	var pod *corev1.PodTemplateSpec
	var err error
	switch object.Kind {
	case "Pod":
		var o corev1.Pod
		err = decode(document, &o)
		pod = &corev1.PodTemplateSpec{ObjectMeta: o.ObjectMeta, Spec: o.Spec}
	case "Deployment":
		var o appsv1.Deployment
		err = decode(document, &o)
		pod = &o.Spec.Template
	case "StatefulSet":
		var o appsv1.StatefulSet
		err = decode(document, &o)
		pod = &o.Spec.Template
	case "DaemonSet":
		var o appsv1.DaemonSet
		err = decode(document, &o)
		pod = &o.Spec.Template
	case "ReplicaSet":
		var o appsv1.ReplicaSet
		err = decode(document, &o)
		pod = &o.Spec.Template
	case "Job":
		var o batchv1.Job
		err = decode(document, &o)
		pod = &o.Spec.Template
	case "CronJob":
		var o batchv1.CronJob
		err = decode(document, &o)
		pod = &o.Spec.JobTemplate.Spec.Template
	case "List", "ReplicationController", "PodTemplate":
		return nil, fmt.Errorf("%s: %s is not understood; write the objects as documents of a workload kind", of, object.Kind)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", of, err)
	}
	return &template{of: of, meta: &pod.ObjectMeta, spec: &pod.Spec}, nil
}

// check evaluates each document of one stream; it returns how many pod templates and findings there were.
func check(in io.Reader, out io.Writer, evaluator policy.Evaluator, level api.LevelVersion) (templates, findings int, err error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(in))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return templates, findings, nil
		}
		if err != nil {
			return templates, findings, err
		}
		pod, err := podTemplate(document)
		if err != nil {
			return templates, findings, err
		}
		if pod == nil {
			continue
		}
		templates++
		for _, result := range evaluator.EvaluatePod(level, pod.meta, pod.spec) {
			if !result.Allowed {
				findings++
				fmt.Fprintf(out, "%s: %s: %s\n", pod.of, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
}

func run(args []string, in io.Reader, out io.Writer) (findings int, err error) {
	flags := flag.NewFlagSet("psa-check", flag.ContinueOnError)
	levelName := flags.String("level", string(api.LevelRestricted), "Pod Security level: privileged, baseline or restricted")
	versionName := flags.String("version", "latest", "version of the level, as v1.34")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	level, err := api.ParseLevel(*levelName)
	if err != nil {
		return 0, err
	}
	version, err := api.ParseVersion(*versionName)
	if err != nil {
		return 0, err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return 0, err
	}
	total := 0
	read := func(name string, stream io.Reader) error {
		templates, found, err := check(stream, out, evaluator, api.LevelVersion{Level: level, Version: version})
		total, findings = total+templates, findings+found
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	if flags.NArg() == 0 {
		err = read("standard input", in)
	}
	for _, name := range flags.Args() {
		if err != nil {
			break
		}
		err = readFile(name, read)
	}
	if err != nil {
		return findings, err
	}
	fmt.Fprintf(out, "%d pod templates evaluated, %d findings (%s, %s)\n", total, findings, level, version.String())
	return findings, nil
}

func readFile(name string, read func(string, io.Reader) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return read(name, file)
}

func main() {
	findings, err := run(os.Args[1:], os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "psa-check:", err)
		os.Exit(2)
	}
	if findings > 0 {
		os.Exit(1)
	}
}
