{{- define "egress-obs.labels" }}
    app.kubernetes.io/name: egress-obs
    app.kubernetes.io/part-of: egress-obs
    app.kubernetes.io/managed-by: {{ .Release.Service }}
    helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
