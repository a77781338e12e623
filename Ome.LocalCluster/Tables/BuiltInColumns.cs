using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Tables;

/// <summary>The columns of built-in kinds, as kube-apiserver prints them.</summary>
internal static class BuiltInColumns
{
    private const string None = "<none>";
    private const string Unknown = "<unknown>";

    public static readonly TableColumn Name = new("Name", "string", "name", 0, "Name of the object.", (item, _) => Text(item, ".metadata.name", ""));

    public static readonly TableColumn Age = new("Age", "date", "", 0, "Time since the object was created.", (item, now) => Ages.Since(First(item, ".metadata.creationTimestamp"), now));

    private static readonly TableColumn CreatedAt = new("Created At", "date", "", 0, "When the object was created.", (item, _) => First(item, ".metadata.creationTimestamp")?.DeepClone());

    // Printed as text by the server for built-in kinds.
    private static readonly TableColumn AgeText = Age with { Type = "string" };

    public static IReadOnlyList<TableColumn> Of(string group, string kind) => (group, kind) switch
    {
        ("", "Namespace") => [Name, Col("Status", item => Text(item, ".status.phase", "")), AgeText],
        ("", "ConfigMap") => [Name, Col("Data", item => Count(item, "data") + Count(item, "binaryData")), AgeText],
        ("", "Secret") => [Name, Col("Type", item => Text(item, ".type", "")), Col("Data", item => Count(item, "data")), AgeText],
        ("", "ServiceAccount") => [Name, AgeText],
        ("", "Node") => Node,
        ("", "Pod") => Pod,
        ("" or "events.k8s.io", "Event") => EventColumns.All,
        ("", "Service") => Service,
        ("coordination.k8s.io", "Lease") => [Name, Col("Holder", item => Text(item, ".spec.holderIdentity", "")), AgeText],
        ("apps", "Deployment") => Deployment,
        ("apps", "DaemonSet") => DaemonSet,
        ("rbac.authorization.k8s.io", "RoleBinding" or "ClusterRoleBinding") => Binding,
        ("scheduling.k8s.io", "PriorityClass") => PriorityClass,
        ("policy", "PodDisruptionBudget") => PodDisruptionBudget,
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy") =>
            [Name, Col("Validations", item => List(item, ".spec.validations").Count, "integer"), Col("ParamKind", item => Text(item, ".spec.paramKind.kind", "<unset>")), AgeText],
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") =>
            [Name, Col("PolicyName", item => Text(item, ".spec.policyName", "")), Col("ParamRef", item => Text(item, ".spec.paramRef.name", "<unset>")), AgeText],
        ("networking.k8s.io", "NetworkPolicy") => [Name, Col("Pod-Selector", item => Selector(item, "podSelector")), AgeText],
        _ => [Name, CreatedAt],
    };

    private static IReadOnlyList<TableColumn> Node =>
    [
        Name,
        Col("Status", NodeStatus),
        Col("Roles", NodeRoles),
        AgeText,
        Col("Version", item => Text(item, ".status.nodeInfo.kubeletVersion", "")),
        Wide("Internal-IP", item => Text(item, ".status.addresses[?(@.type==\"InternalIP\")].address", None)),
        Wide("External-IP", item => Text(item, ".status.addresses[?(@.type==\"ExternalIP\")].address", None)),
        Wide("OS-Image", item => Text(item, ".status.nodeInfo.osImage", Unknown)),
        Wide("Kernel-Version", item => Text(item, ".status.nodeInfo.kernelVersion", Unknown)),
        Wide("Container-Runtime", item => Text(item, ".status.nodeInfo.containerRuntimeVersion", Unknown)),
    ];

    private static IReadOnlyList<TableColumn> Pod =>
    [
        Name,
        Col("Ready", item => $"{List(item, ".status.containerStatuses[?(@.ready==true)]").Count}/{List(item, ".spec.containers[*]").Count}"),
        Col("Status", item => First(item, ".metadata.deletionTimestamp") is null ? Text(item, ".status.phase", Unknown) : "Terminating"),
        Col("Restarts", item => List(item, ".status.containerStatuses[*].restartCount").Sum(count => (long?)JsonValues.ToDouble(count) ?? 0).ToString()),
        AgeText,
        Wide("IP", item => Text(item, ".status.podIP", None)),
        Wide("Node", item => Text(item, ".spec.nodeName", None)),
        Wide("Nominated Node", item => Text(item, ".status.nominatedNodeName", None)),
        Wide("Readiness Gates", _ => None),
    ];

    private static IReadOnlyList<TableColumn> Service =>
    [
        Name,
        Col("Type", item => Text(item, ".spec.type", "ClusterIP")),
        Col("Cluster-IP", item => Text(item, ".spec.clusterIP", None)),
        Col("External-IP", item => Joined(item, ".spec.externalIPs[*]", None)),
        Col("Port(s)", item => string.Join(',', List(item, ".spec.ports[*]").OfType<JsonObject>().Select(port => $"{port["port"]}/{port["protocol"] ?? "TCP"}")) is { Length: > 0 } text ? text : None),
        AgeText,
        Wide("Selector", item => Pairs(item["spec"]?["selector"] as JsonObject)),
    ];

    private static IReadOnlyList<TableColumn> Deployment =>
    [
        Name,
        Col("Ready", item => $"{Number(item, ".status.readyReplicas")}/{Number(item, ".spec.replicas")}"),
        Col("Up-to-date", item => Number(item, ".status.updatedReplicas")),
        Col("Available", item => Number(item, ".status.availableReplicas")),
        AgeText,
        .. Template,
    ];

    private static IReadOnlyList<TableColumn> DaemonSet =>
    [
        Name,
        Col("Desired", item => Number(item, ".status.desiredNumberScheduled"), "integer"),
        Col("Current", item => Number(item, ".status.currentNumberScheduled"), "integer"),
        Col("Ready", item => Number(item, ".status.numberReady"), "integer"),
        Col("Up-to-date", item => Number(item, ".status.updatedNumberScheduled"), "integer"),
        Col("Available", item => Number(item, ".status.numberAvailable"), "integer"),
        Col("Node Selector", item => Pairs(First(item, ".spec.template.spec.nodeSelector") as JsonObject)),
        AgeText,
        .. Template,
    ];

    private static IReadOnlyList<TableColumn> Template =>
    [
        Wide("Containers", item => Joined(item, ".spec.template.spec.containers[*].name", "")),
        Wide("Images", item => Joined(item, ".spec.template.spec.containers[*].image", "")),
        Wide("Selector", item => Selector(item, "selector")),
    ];

    private static IReadOnlyList<TableColumn> Binding =>
    [
        Name,
        Col("Role", item => $"{Text(item, ".roleRef.kind", "")}/{Text(item, ".roleRef.name", "")}"),
        AgeText,
        Wide("Users", item => Joined(item, ".subjects[?(@.kind==\"User\")].name", "")),
        Wide("Groups", item => Joined(item, ".subjects[?(@.kind==\"Group\")].name", "")),
        Wide("ServiceAccounts", item => string.Join(", ", List(item, ".subjects[?(@.kind==\"ServiceAccount\")]").Select(subject => $"{subject?["namespace"]}/{subject?["name"]}"))),
    ];

    private static IReadOnlyList<TableColumn> PriorityClass =>
    [
        Name,
        Col("Value", item => Number(item, ".value"), "integer"),
        Col("Global-Default", item => First(item, ".globalDefault")?.DeepClone() ?? false, "boolean"),
        AgeText,
        Col("PreemptionPolicy", item => Text(item, ".preemptionPolicy", "PreemptLowerPriority")),
    ];

    private static IReadOnlyList<TableColumn> PodDisruptionBudget =>
    [
        Name,
        Col("Min Available", item => Text(item, ".spec.minAvailable", "N/A")),
        Col("Max Unavailable", item => Text(item, ".spec.maxUnavailable", "N/A")),
        Col("Allowed Disruptions", item => Number(item, ".status.disruptionsAllowed"), "integer"),
        AgeText,
    ];

    private static JsonNode NodeStatus(JsonObject node)
    {
        var ready = Text(node, ".status.conditions[?(@.type==\"Ready\")].status", "") switch { "" => "Unknown", "True" => "Ready", _ => "NotReady" };
        return First(node, ".spec.unschedulable")?.GetValue<bool>() == true ? ready + ",SchedulingDisabled" : ready;
    }

    private static JsonNode NodeRoles(JsonObject node)
    {
        const string Prefix = "node-role.kubernetes.io/";
        var labels = First(node, ".metadata.labels") as JsonObject ?? [];
        var roles = labels.Where(label => label.Key.StartsWith(Prefix, StringComparison.Ordinal) && label.Key.Length > Prefix.Length).Select(label => label.Key[Prefix.Length..])
            .Concat(labels["kubernetes.io/role"] is { } role ? [role.ToString()] : []).Order(StringComparer.Ordinal);
        return string.Join(',', roles) is { Length: > 0 } text ? text : None;
    }

    private static string Selector(JsonObject item, string member)
    {
        if (item["spec"]?[member] is not JsonObject selector) return None;
        var equal = (selector["matchLabels"] as JsonObject ?? []).OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}");
        var expressions = (selector["matchExpressions"] as JsonArray ?? []).OfType<JsonObject>().Select(Expression);
        return string.Join(',', equal.Concat(expressions)) is { Length: > 0 } text ? text : None;
    }

    private static string Expression(JsonObject expression)
    {
        var values = string.Join(',', (expression["values"] as JsonArray ?? []).Select(value => value!.ToString()));
        return (string?)expression["operator"] switch
        {
            "In" => $"{expression["key"]} in ({values})",
            "NotIn" => $"{expression["key"]} notin ({values})",
            "DoesNotExist" => $"!{expression["key"]}",
            _ => $"{expression["key"]}",
        };
    }

    private static string Pairs(JsonObject? map) =>
        map is { Count: > 0 } ? string.Join(',', map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}")) : None;

    private static TableColumn Col(string name, Func<JsonObject, JsonNode?> cell, string type = "string") => new(name, type, "", 0, name, (item, _) => cell(item));

    private static TableColumn Wide(string name, Func<JsonObject, JsonNode?> cell) => new(name, "string", "", 1, name, (item, _) => cell(item));

    private static int Count(JsonObject item, string member) => (item[member] as JsonObject)?.Count ?? 0;

    internal static IReadOnlyList<JsonNode?> List(JsonObject item, string path) =>
        JsonPath.Parse(path).Find(item) is [JsonArray only] ? [.. only] : JsonPath.Parse(path).Find(item);

    internal static JsonNode? First(JsonObject item, string path) => JsonPath.Parse(path).Find(item) is [var first, ..] ? first : null;

    internal static string Text(JsonObject item, string path, string missing) => First(item, path) is { } value && value.ToString() is { Length: > 0 } text ? text : missing;

    private static long Number(JsonObject item, string path) => (long?)JsonValues.ToDouble(First(item, path)) ?? 0;

    private static string Joined(JsonObject item, string path, string missing) =>
        string.Join(',', List(item, path).OfType<JsonNode>().Select(value => value.ToString())) is { Length: > 0 } text ? text : missing;
}
