using Ome.LocalCluster.Schemas;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Tables;

namespace Ome.LocalCluster.Kinds;

/// <summary>The kinds that are there without a CRD: what Ome's manifests contain and what kubectl asks for on the way. A row each.</summary>
public static class BuiltInKinds
{
    private const bool Cluster = false;
    private const bool InNamespace = true;

    private static readonly ScalePaths Replicas = new(".spec.replicas", ".status.replicas", ".status.selector");
    private static readonly SpecRules Spec = SpecRules.Instance;
    private static readonly RbacRules Rbac = new();

    private sealed record Row(string Group, string Version, string Plural, string Kind, bool Namespaced, string ShortNames = "", bool Status = false, ObjectRules? Rules = null)
    {
        public ScalePaths? Scale { get; init; }

        public string Categories { get; init; } = "";

        public string Fields { get; init; } = "";

        public string Other { get; init; } = "";
    }

    private static readonly Row[] Rows =
    [
        new("", "v1", "namespaces", "Namespace", Cluster, "ns", true, new NamespaceRules()) { Fields = "status.phase", Other = "finalize" },
        new("", "v1", "nodes", "Node", Cluster, "no", true) { Fields = "spec.unschedulable" },
        new("", "v1", "configmaps", "ConfigMap", InNamespace, "cm", Rules: new DataRules(secret: false)),
        new("", "v1", "secrets", "Secret", InNamespace, Rules: new DataRules(secret: true)) { Fields = "type" },
        new("", "v1", "serviceaccounts", "ServiceAccount", InNamespace, "sa") { Other = "token" },
        new("", "v1", "events", "Event", InNamespace, "ev", Rules: new EventRules())
        {
            Fields = "involvedObject.kind,involvedObject.namespace,involvedObject.name,involvedObject.uid,involvedObject.apiVersion,"
                + "involvedObject.resourceVersion,involvedObject.fieldPath,reason,reportingComponent,source,type",
        },
        new("", "v1", "pods", "Pod", InNamespace, "po", true, new PodRules())
        {
            Categories = "all",
            Fields = "spec.nodeName,spec.restartPolicy,spec.schedulerName,spec.serviceAccountName,status.phase,status.podIP,status.nominatedNodeName",
        },
        new("", "v1", "services", "Service", InNamespace, "svc", true, Spec) { Categories = "all" },
        new("", "v1", "endpoints", "Endpoints", InNamespace, "ep"),
        new("", "v1", "persistentvolumes", "PersistentVolume", Cluster, "pv", true, Spec),
        new("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", InNamespace, "pvc", true, Spec),
        new("", "v1", "resourcequotas", "ResourceQuota", InNamespace, "quota", true, Spec),
        new("", "v1", "limitranges", "LimitRange", InNamespace, "limits"),
        new("apps", "v1", "deployments", "Deployment", InNamespace, "deploy", true, Spec) { Scale = Replicas, Categories = "all" },
        new("apps", "v1", "daemonsets", "DaemonSet", InNamespace, "ds", true, Spec) { Categories = "all" },
        new("apps", "v1", "statefulsets", "StatefulSet", InNamespace, "sts", true, Spec) { Scale = Replicas, Categories = "all" },
        new("apps", "v1", "replicasets", "ReplicaSet", InNamespace, "rs", true, Spec) { Scale = Replicas, Categories = "all" },
        new("apps", "v1", "controllerrevisions", "ControllerRevision", InNamespace),
        new("batch", "v1", "jobs", "Job", InNamespace, "", true, Spec) { Categories = "all" },
        new("batch", "v1", "cronjobs", "CronJob", InNamespace, "cj", true, Spec) { Categories = "all" },
        new("coordination.k8s.io", "v1", "leases", "Lease", InNamespace, Rules: new LeaseRules()),
        new("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", InNamespace, "pdb", true, Spec),
        new("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", InNamespace, "netpol", Rules: Spec),
        new("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", Cluster, "pc"),
        new("storage.k8s.io", "v1", "storageclasses", "StorageClass", Cluster, "sc"),
        new("rbac.authorization.k8s.io", "v1", "roles", "Role", InNamespace, Rules: Rbac),
        new("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", InNamespace, Rules: Rbac),
        new("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", Cluster, Rules: Rbac),
        new("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", Cluster, Rules: Rbac),
        new("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", Cluster, "", true, Spec),
        new("admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", Cluster),
        new("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", Cluster),
        new("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", Cluster),
        new("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", Cluster, "crd,crds", true, new CrdRules()) { Categories = "api-extensions" },
    ];

    /// <summary>All built-in resources over a store.</summary>
    public static IEnumerable<ApiResource> Build(ObjectStore store)
    {
        foreach (var row in Rows) yield return Build(row, store);
        yield return NewEvents(store);
    }

    private static ApiResource Build(Row row, ObjectStore store) => new()
    {
        Group = row.Group,
        Version = row.Version,
        Plural = row.Plural,
        Singular = row.Kind.ToLowerInvariant(),
        Kind = row.Kind,
        Namespaced = row.Namespaced,
        ShortNames = Split(row.ShortNames),
        Categories = Split(row.Categories),
        HasStatus = row.Status,
        Scale = row.Scale,
        OtherSubresources = Split(row.Other),
        SelectableFields = Split(row.Fields),
        Rules = row.Rules ?? ObjectRules.None,
        Columns = TableColumns.ForBuiltIn(row.Group, row.Kind),
        Merge = OpenApiDocuments.MergeSchemaOf(row.Group, row.Version, row.Kind),
        Fields = StructuralSchema.OfBuiltIn(row.Group, row.Version, row.Kind),
        Collection = store.Collection(row.Group.Length == 0 ? row.Plural : $"{row.Plural}.{row.Group}"),
    };

    private static ApiResource NewEvents(ObjectStore store) => new()
    {
        Group = "events.k8s.io",
        Version = "v1",
        Plural = "events",
        Singular = "event",
        Kind = "Event",
        Namespaced = true,
        ShortNames = ["ev"],
        IsStorageVersion = false,
        SelectableFields = Split(Rows.Single(r => r.Plural == "events").Fields.Replace("involvedObject", "regarding", StringComparison.Ordinal)),
        Rules = new EventRules(),
        Columns = TableColumns.ForBuiltIn("events.k8s.io", "Event"),
        Merge = OpenApiDocuments.MergeSchemaOf("events.k8s.io", "v1", "Event"),
        Fields = StructuralSchema.OfBuiltIn("events.k8s.io", "v1", "Event"),
        Collection = store.Collection("events"),
        FromStorage = EventVersions.FromCore,
        ToStorage = EventVersions.ToCore,
    };

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries);
}
