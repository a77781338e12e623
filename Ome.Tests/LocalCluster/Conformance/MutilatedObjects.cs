using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Ome.Shared.Api;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>A sound object of one kind: where it is created, and the class a typed client reads it with.</summary>
internal sealed record SoundObject(string Collection, string Json, Func<string, object?> Read)
{
    /// <summary>One of each kind that Ome and its users write; <c>NS</c> stands for the namespace.</summary>
    public static IReadOnlyList<SoundObject> All { get; } =
    [
        Of<V1ConfigMap>("/api/v1/namespaces/NS/configmaps", """
            {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"sound","labels":{"a":"b"},"annotations":{"c/d":"e"},"finalizers":["ome.io/f"],
             "ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n","uid":"u","controller":true}]},"data":{"k":"v"},"binaryData":{"b":"AAEC"},"immutable":false}
            """),
        Of<V1Secret>("/api/v1/namespaces/NS/secrets", """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"sound"},"type":"Opaque","data":{"k":"AAEC"},"stringData":{"s":"text"}}"""),
        Of<V1ServiceAccount>("/api/v1/namespaces/NS/serviceaccounts", """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"sound"},"automountServiceAccountToken":true,"imagePullSecrets":[{"name":"p"}]}"""),
        Of<V1Namespace>("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"NS-sound","labels":{"a":"b"}}}"""),
        Of<V1Node>("/api/v1/nodes", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"NS-sound","labels":{"gpu":"true"}},"spec":{"unschedulable":true,"providerID":"x","taints":[{"key":"t","value":"v","effect":"NoSchedule"}]}}"""),
        Of<Corev1Event>("/api/v1/namespaces/NS/events", """
            {"apiVersion":"v1","kind":"Event","metadata":{"name":"sound"},"involvedObject":{"apiVersion":"v1","kind":"ConfigMap","name":"x","namespace":"NS"},
             "reason":"R","message":"m","type":"Warning","count":3,"firstTimestamp":"2026-01-02T03:04:05Z","source":{"component":"c","host":"h"}}
            """),
        Of<V1Lease>("/apis/coordination.k8s.io/v1/namespaces/NS/leases", """
            {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"sound"},
             "spec":{"holderIdentity":"me","leaseDurationSeconds":15,"leaseTransitions":1,"renewTime":"2026-01-02T03:04:05.000001Z"}}
            """),
        Of<V1Role>("/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles", """
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"sound"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["configmaps"],"resourceNames":["a"]}]}
            """),
        Of<V1RoleBinding>("/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings", """
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"sound"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"sound"},
             "subjects":[{"kind":"ServiceAccount","name":"a","namespace":"NS"}]}
            """),
        Of<V1DaemonSet>("/apis/apps/v1/namespaces/NS/daemonsets", """
            {"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"sound"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
             "spec":{"hostNetwork":true,"containers":[{"name":"c","image":"i","args":["x"],"env":[{"name":"E","value":"v"}],"ports":[{"containerPort":80,"hostPort":80}],
             "resources":{"limits":{"cpu":"1","memory":"1Gi"}},"volumeMounts":[{"name":"v","mountPath":"/v","readOnly":true}]}],"volumes":[{"name":"v","hostPath":{"path":"/v"}}]}}}}
            """),
        Of<V1CustomResourceDefinition>("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", """
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"soundings.NS.example.com"},
             "spec":{"group":"NS.example.com","scope":"Namespaced","names":{"plural":"soundings","singular":"sounding","kind":"Sounding","listKind":"SoundingList","shortNames":["snd"],"categories":["all"]},
             "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
             "additionalPrinterColumns":[{"name":"N","type":"integer","jsonPath":".spec.n","priority":1,"description":"d"}],
             "schema":{"openAPIV3Schema":{"type":"object","description":"x","properties":{"spec":{"type":"object","required":["n"],"properties":{
               "n":{"type":"integer","format":"int32","minimum":1,"maximum":9,"exclusiveMaximum":false},"replicas":{"type":"integer"},"t":{"type":"string","maxLength":9,"pattern":"^a+$","nullable":true},
               "l":{"type":"array","minItems":0,"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"}}}},
               "m":{"type":"object","additionalProperties":{"type":"string"}},"o":{"x-kubernetes-preserve-unknown-fields":true}}},
               "status":{"type":"object","properties":{"replicas":{"type":"integer"}}}}}}}]}}
            """),
        Of<BaseModel>("/apis/ome.io/v1beta1/namespaces/NS/basemodels", """
            {"apiVersion":"ome.io/v1beta1","kind":"BaseModel","metadata":{"name":"sound","annotations":{"ome.io/verify-now":"1"}},
             "spec":{"modelFormat":{"name":"safetensors","version":"1"},"modelType":"llama","modelCapabilities":["TEXT_GENERATION"],"disabled":false,"maxTokens":4096,
             "storage":{"storageUri":"hf://a/b","path":"/models/a","key":"k","nodeSelector":{"a":"b"},"parameters":{"p":"q"}}}}
            """),
        Of<ClusterBaseModel>("/apis/ome.io/v1beta1/clusterbasemodels", """
            {"apiVersion":"ome.io/v1beta1","kind":"ClusterBaseModel","metadata":{"name":"NS-sound"},"spec":{"modelFormat":{"name":"safetensors"},"vendor":"v","storage":{"storageUri":"local:///a",
             "nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}]}}}}}
            """),
        Of<ModelIntegrityCheck>("/apis/ome.io/v1beta1/modelintegritychecks", """
            {"apiVersion":"ome.io/v1beta1","kind":"ModelIntegrityCheck","metadata":{"name":"NS-sound","labels":{"models.ome.io/node":"n"}},
             "spec":{"nodeName":"n","modelRef":{"kind":"ClusterBaseModel","name":"m","uid":"u"},"storageUri":"hf://a/b","storagePath":"/a","mode":"Basic","interval":"10m0s"}}
            """),
    ];

    public SoundObject In(string ns) => this with { Collection = Collection.Replace("NS", ns, StringComparison.Ordinal), Json = Json.Replace("NS", ns, StringComparison.Ordinal) };

    private static SoundObject Of<T>(string collection, string json) => new(collection, json, text => KubernetesJson.Deserialize<T>(text));
}

/// <summary>One value of an object replaced by one of another JSON type.</summary>
internal sealed record Mutilation(IReadOnlyList<string> Path, JsonValueKind Was, string Json)
{
    private static readonly string[] Replacements = ["\"text\"", "7", "1.5", "true", "{}", "{\"x\":1}", "[]", "[1]", "null", "-1", "9223372036854775808"];

    public string Where => string.Join('.', Path);

    /// <summary>True when null took the place: it reads as left out.</summary>
    public bool IsNull { get; private init; }

    public static Mutilation Random(string json, Random random)
    {
        var tree = JsonNode.Parse(json)!;
        var places = Places(tree, []).ToList();
        var path = places[random.Next(places.Count)];
        var (parent, last) = (At(tree, path.Take(path.Count - 1))!, path[^1]);
        var was = KindOf(At(tree, path));
        var with = Replacements.Where(text => KindOf(JsonNode.Parse(text)) is var kind && (kind != was || text == "1.5")).ToList() is var fitting ? fitting[random.Next(fitting.Count)] : "";
        if (parent is JsonArray list) list[int.Parse(last)] = JsonNode.Parse(with);
        else parent[last] = JsonNode.Parse(with);
        return new Mutilation(path, was, tree.ToJsonString()) { IsNull = with == "null" };
    }

    /// <summary>What an answer has at the place; false when there is nothing.</summary>
    public bool TryFind(JsonNode answer, out JsonValueKind kind)
    {
        var node = At(answer, Path);
        kind = KindOf(node);
        return node is not null;
    }

    private static IEnumerable<IReadOnlyList<string>> Places(JsonNode? node, string[] path) => node switch
    {
        JsonObject map => map.SelectMany(member => Places(member.Value, [.. path, member.Key]).Prepend([.. path, member.Key])),
        JsonArray list => list.SelectMany((item, i) => Places(item, [.. path, i.ToString()]).Prepend([.. path, i.ToString()])),
        _ => [],
    };

    private static JsonNode? At(JsonNode? node, IEnumerable<string> path) => path.Aggregate(node, (at, step) => at switch
    {
        JsonObject map => map[step],
        JsonArray list when int.TryParse(step, out var index) && index < list.Count => list[index],
        _ => null,
    });

    private static JsonValueKind KindOf(JsonNode? node) => node?.GetValueKind() switch
    {
        null => JsonValueKind.Null,
        JsonValueKind.False => JsonValueKind.True,
        { } kind => kind,
    };
}
