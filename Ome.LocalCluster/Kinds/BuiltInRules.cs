using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Kinds;

/// <summary>Namespaces: a DNS label, phase Active, held by the <c>kubernetes</c> finalizer of its spec.</summary>
public sealed class NamespaceRules : ObjectRules
{
    public override string? NameProblem(string name) => MetadataNames.LabelNameProblem(name);

    public override void PrepareForCreate(JsonObject item)
    {
        item["status"] = new JsonObject { ["phase"] = "Active" };
        item.Child("spec")["finalizers"] = new JsonArray("kubernetes");
        var metadata = item.Metadata();
        if (metadata.Text("name") is { } name) metadata.Child("labels")["kubernetes.io/metadata.name"] = name;
    }
}

/// <summary>Pods: stored, never run; they stay Pending.</summary>
public sealed class PodRules : ObjectRules
{
    public override void PrepareForCreate(JsonObject item) => item["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = "BestEffort" };

    public override IReadOnlyList<FieldError> Validate(JsonObject item, JsonObject? old) =>
        item.Map("spec")?.List("containers") is { Count: > 0 } ? [] : [FieldError.Required("spec.containers")];
}

/// <summary>ConfigMaps and Secrets: key syntax, texts only, 1 MiB in all, <c>immutable</c>.</summary>
public sealed class DataRules(bool secret) : ObjectRules
{
    private const int MaxBytes = 1 << 20;

    public override void Default(JsonObject item)
    {
        if (!secret) return;
        item["type"] ??= "Opaque";
        if (item.Map("stringData") is not { } texts) return;
        var data = item.Child("data");
        foreach (var (key, value) in texts) data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes((string?)value ?? ""));
        item.Remove("stringData");
    }

    public override IReadOnlyList<FieldError> Validate(JsonObject item, JsonObject? old)
    {
        var errors = new List<FieldError>();
        long bytes = 0;
        foreach (var member in new[] { "data", "binaryData" })
        {
            if (item[member] is not JsonObject map) continue;
            foreach (var (key, value) in map)
            {
                if (MetadataNames.ConfigKeyProblem(key) is { } problem) errors.Add(FieldError.Invalid($"{member}[{key}]", $"\"{key}\"", problem));
                bytes += Size(value, binary: secret || member == "binaryData");
            }
        }
        if (bytes > MaxBytes) errors.Add(FieldError.TooLong(secret ? "data" : "", $"must have at most {MaxBytes} bytes"));
        if (old?["immutable"]?.GetValueKind() == JsonValueKind.True && DiffersOutside(item, old, "metadata"))
            errors.Add(FieldError.Forbidden("data", "field is immutable when `immutable` is set"));
        return errors;
    }

    private static int Size(JsonNode? value, bool binary)
    {
        var content = (string?)value ?? "";
        return binary ? content.Length / 4 * 3 : Encoding.UTF8.GetByteCount(content);
    }
}

/// <summary>Events: the namespace must be the regarded object's, or <c>default</c> for cluster-scoped objects. In storage form (core/v1).</summary>
public sealed class EventRules : ObjectRules
{
    public override IReadOnlyList<FieldError> Validate(JsonObject item, JsonObject? old)
    {
        var own = item.Metadata().Text("namespace") ?? "";
        var regarded = item.Map("involvedObject")?.Text("namespace") ?? "";
        var fits = regarded.Length == 0 ? own is "default" or "kube-system" : own == regarded;
        return fits ? [] : [FieldError.Invalid("involvedObject.namespace", $"\"{regarded}\"", "does not match event.namespace")];
    }
}

/// <summary>RBAC objects: names are any path segment; rules name verbs.</summary>
public sealed class RbacRules : ObjectRules
{
    public override string? NameProblem(string name) => MetadataNames.PathSegmentProblem(name);

    public override void Default(JsonObject item)
    {
        foreach (var subject in item.List("subjects")?.OfType<JsonObject>() ?? [])
            subject["apiGroup"] ??= subject.Text("kind") is "User" or "Group" ? "rbac.authorization.k8s.io" : null;
    }

    public override IReadOnlyList<FieldError> Validate(JsonObject item, JsonObject? old)
    {
        var errors = new List<FieldError>();
        var index = 0;
        foreach (var rule in item.List("rules")?.OfType<JsonObject>() ?? [])
        {
            var path = $"rules[{index++}]";
            if (rule.Texts("verbs").Count == 0) errors.Add(FieldError.Required($"{path}.verbs", "verbs must contain at least one value"));
            if (rule.Texts("nonResourceURLs").Count > 0) continue;
            if (rule.Texts("apiGroups").Count == 0) errors.Add(FieldError.Required($"{path}.apiGroups", "resource rules must supply at least one api group"));
            if (rule.Texts("resources").Count == 0) errors.Add(FieldError.Required($"{path}.resources", "resource rules must supply at least one resource"));
        }
        if (old?["roleRef"] is { } before && !Patching.JsonValues.Same(before, item["roleRef"]))
            errors.Add(FieldError.Invalid("roleRef", item["roleRef"]?.ToJsonString() ?? "", "cannot change roleRef"));
        return errors;
    }
}

/// <summary>Leases: names, and numbers that make sense.</summary>
public sealed class LeaseRules : ObjectRules
{
    public override bool AllowsUnconditionalUpdate => false;

    public override IReadOnlyList<FieldError> Validate(JsonObject item, JsonObject? old) =>
        item.Map("spec")?.Integer("leaseDurationSeconds") is <= 0 and var seconds
            ? [FieldError.Invalid("spec.leaseDurationSeconds", $"{seconds}", "must be greater than 0")]
            : [];
}
