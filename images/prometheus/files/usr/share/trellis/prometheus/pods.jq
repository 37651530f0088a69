# A list of pods as groups of targets: one for each TCP port of each container, as kubernetes_sd_configs with the role `pod` has them.
[
  .items[]
  | select(.status.podIP)
  | . as $pod
  | .spec.containers[]
  | . as $container
  | (.ports // [])[]
  | select((.protocol // "TCP") == "TCP")
  | {
      targets: ["\($pod.status.podIP):\(.containerPort)"],
      labels: (
        {
          __meta_kubernetes_namespace: $pod.metadata.namespace,
          __meta_kubernetes_pod_name: $pod.metadata.name,
          __meta_kubernetes_pod_phase: ($pod.status.phase // "Unknown"),
          __meta_kubernetes_pod_container_name: $container.name,
          __meta_kubernetes_pod_container_port_number: (.containerPort | tostring)
        }
        + (
          ($pod.metadata.labels // {})
          | with_entries(.key |= "__meta_kubernetes_pod_label_" + gsub("[^A-Za-z0-9_]"; "_"))
        )
      )
    }
]
