{{- /* As server/deploy/proxies/envoy-replicas.yaml, which explains it. The tests compare the two. */ -}}
{{- define "haleganada.envoy" -}}
node: {id: envoy, cluster: haleganada}  # whoever watches files must have a name
static_resources:
  listeners:
    - name: inside
      address: {socket_address: {address: 0.0.0.0, port_value: 50051}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: haleganada
                use_remote_address: true
                stream_idle_timeout: 0s
                request_timeout: 0s
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - name: haleganada
                      domains: ["*"]
                      routes:
                        - match:
                            safe_regex: {regex: '/(haleganada\.v1\.\w+/(Predict|PredictBatch|Stats|Get\w+|List\w+)|grpc\..+)'}
                          route:
                            cluster: servers
                            timeout: 0s
                            max_stream_duration: {grpc_timeout_header_max: 0s}
                            hash_policy: &hash_policy
                              - header: {header_name: haleganada-workspace}
                            retry_policy:
                              retry_on: unavailable,reset,connect-failure,refused-stream
                              num_retries: 2
                              retry_back_off: {base_interval: 0.01s, max_interval: 0.1s}
                              retry_host_predicate: &another
                                - name: envoy.retry_host_predicates.previous_hosts
                                  typed_config:
                                    "@type": type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate
                              host_selection_retry_max_attempts: 5
                        - match: {prefix: /haleganada.v1.}
                          route:
                            cluster: servers
                            timeout: 0s
                            max_stream_duration: {grpc_timeout_header_max: 0s}
                            hash_policy: *hash_policy
                            retry_policy:
                              retry_on: connect-failure,refused-stream,reset-before-request
                              num_retries: 2
                              retry_back_off: {base_interval: 0.01s, max_interval: 0.1s}
                              retry_host_predicate: *another
                              host_selection_retry_max_attempts: 5
          {{- if .Values.server.tlsSecret }}
          transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                alpn_protocols: [h2, http/1.1]
                tls_params: {tls_minimum_protocol_version: TLSv1_2}
                tls_certificate_sds_secret_configs:
                  - name: server
                    sds_config:
                      path_config_source: {path: /etc/envoy/certificate.yaml}
                      resource_api_version: V3
          {{- end }}
  clusters:
    - name: servers
      type: STRICT_DNS
      dns_lookup_family: V4_PREFERRED
      connect_timeout: 1s
      circuit_breakers:
        thresholds: [{max_connections: 10000, max_pending_requests: 10000, max_requests: 10000, max_retries: 1000}]
      lb_policy: MAGLEV
      common_lb_config:
        consistent_hashing_lb_config: {hash_balance_factor: 200}
        healthy_panic_threshold: {value: 1}
      health_checks:
        - timeout: 1s
          interval: 1s
          unhealthy_threshold: 2
          healthy_threshold: 1
          no_traffic_interval: 1s
          grpc_health_check: {service_name: haleganada.current}
      outlier_detection:
        split_external_local_origin_errors: true
        consecutive_local_origin_failure: 2
        enforcing_consecutive_local_origin_failure: 100
        enforcing_consecutive_5xx: 0
        enforcing_consecutive_gateway_failure: 0
        interval: 1s
        base_ejection_time: 1s
        max_ejection_percent: 50
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config:
            http2_protocol_options:
              connection_keepalive: {interval: 60s, timeout: 10s}
              max_concurrent_streams: 16
      {{- if .Values.server.tlsSecret }}
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: {{ .Release.Name }}-server
          common_tls_context:
            alpn_protocols: [h2]
            validation_context:
              trusted_ca: {filename: /tls/ca.crt}
              match_typed_subject_alt_names:
                - san_type: DNS
                  matcher: {exact: {{ .Release.Name }}-server}
      {{- end }}
      load_assignment:
        cluster_name: servers
        endpoints:
          - lb_endpoints:
              - endpoint: {address: {socket_address: {address: {{ .Release.Name }}-replicas, port_value: 50051}}}
{{- end -}}

{{- /* Where Envoy finds its certificate, and a new one when that is renewed. */ -}}
{{- define "haleganada.certificate" -}}
resources:
  - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
    name: server
    tls_certificate:
      certificate_chain: {filename: /tls/tls.crt}
      private_key: {filename: /tls/tls.key}
      watched_directory: {path: /tls}
{{- end -}}
