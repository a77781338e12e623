namespace Ome.LocalCluster.Serving;

/// <summary>Kinds kubectl and helm send as protobuf (<c>create namespace</c>, <c>create token</c>, <c>auth can-i</c>, a release's Secret, …): field numbers of their messages.</summary>
/// <remarks>
/// Numbers from the <c>generated.proto</c> of k8s.io/api and k8s.io/apimachinery. A row: <c>number name type</c>; the type is <c>string</c>,
/// <c>bytes</c>, <c>int</c>, <c>bool</c>, <c>texts</c> (map of strings), <c>blobs</c> (map of bytes) or a message's name, with <c>*</c> when repeated.
/// </remarks>
internal static class ProtobufMessages
{
    public sealed record Field(string Name, string Type, bool Repeated);

    private const string Source = """
        ObjectMeta: 1 name string, 2 generateName string, 3 namespace string, 5 uid string, 6 resourceVersion string, 7 generation int, 11 labels texts, 12 annotations texts, 13 ownerReferences OwnerReference*, 14 finalizers string*
        OwnerReference: 1 kind string, 3 name string, 4 uid string, 5 apiVersion string, 6 controller bool, 7 blockOwnerDeletion bool
        Namespace: 1 metadata ObjectMeta
        ConfigMap: 1 metadata ObjectMeta, 2 data texts, 3 binaryData blobs, 4 immutable bool
        Secret: 1 metadata ObjectMeta, 2 data blobs, 3 type string, 4 stringData texts, 5 immutable bool
        ServiceAccount: 1 metadata ObjectMeta, 3 imagePullSecrets LocalObjectReference*, 4 automountServiceAccountToken bool
        LocalObjectReference: 1 name string
        TokenRequest: 1 metadata ObjectMeta, 2 spec TokenRequestSpec
        TokenRequestSpec: 1 audiences string*, 3 boundObjectRef BoundObjectReference, 4 expirationSeconds int
        BoundObjectReference: 1 kind string, 2 apiVersion string, 3 name string, 4 uid string
        SelfSubjectReview: 1 metadata ObjectMeta
        SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec
        SelfSubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes
        ResourceAttributes: 1 namespace string, 2 verb string, 3 group string, 4 version string, 5 resource string, 6 subresource string, 7 name string
        NonResourceAttributes: 1 path string, 2 verb string
        Role: 1 metadata ObjectMeta, 2 rules PolicyRule*
        ClusterRole: 1 metadata ObjectMeta, 2 rules PolicyRule*
        PolicyRule: 1 verbs string*, 2 apiGroups string*, 3 resources string*, 4 resourceNames string*, 5 nonResourceURLs string*
        RoleBinding: 1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef
        ClusterRoleBinding: 1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef
        Subject: 1 kind string, 2 apiGroup string, 3 name string, 4 namespace string
        RoleRef: 1 apiGroup string, 2 kind string, 3 name string
        DeleteOptions: 1 gracePeriodSeconds int, 2 preconditions Preconditions, 3 orphanDependents bool, 4 propagationPolicy string, 5 dryRun string*
        Preconditions: 1 uid string, 2 resourceVersion string
        PriorityClass: 1 metadata ObjectMeta, 2 value int, 3 globalDefault bool, 4 description string, 5 preemptionPolicy string
        """;

    private static readonly Dictionary<string, Dictionary<int, Field>> Messages = Source.Split('\n', StringSplitOptions.TrimEntries)
        .Select(line => line.Split(": ")).ToDictionary(parts => parts[0], parts => Fields(parts[1]), StringComparer.Ordinal);

    /// <summary>Fields of a message by number; null when the kind is not decoded here.</summary>
    public static IReadOnlyDictionary<int, Field>? Find(string message) => Messages.GetValueOrDefault(message);

    private static Dictionary<int, Field> Fields(string rows) => rows.Split(", ").Select(row => row.Split(' '))
        .ToDictionary(row => int.Parse(row[0]), row => new Field(row[1], row[2].TrimEnd('*'), row[2].EndsWith('*')));
}
