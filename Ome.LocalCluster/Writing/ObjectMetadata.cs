using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Writing;

/// <summary>What the server does with <c>metadata</c>: the fields it owns, and the syntax it demands.</summary>
public static class ObjectMetadata
{
    // No vowels and nothing that looks alike, as in generated names of a real cluster.
    private const string SuffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

    private const int MaxAnnotationBytes = 256 * 1024;

    /// <summary>Server-owned members that survive every update unchanged.</summary>
    private static readonly string[] Frozen = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];

    public static string Timestamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>Identity of a new object, in place.</summary>
    public static void StampNew(JsonObject metadata, string ns, bool countsGenerations, DateTimeOffset now)
    {
        if (metadata.Text("name") is null or "" && metadata.Text("generateName") is { Length: > 0 } prefix)
            metadata["name"] = (prefix.Length > 58 ? prefix[..58] : prefix) + RandomNumberGenerator.GetString(SuffixAlphabet, 5);
        metadata.Put("namespace", ns.Length > 0 ? JsonValue.Create(ns) : null);
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Timestamp(now);
        metadata.Put("generation", countsGenerations ? JsonValue.Create(1L) : null);
        foreach (var name in new[] { "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion" }) metadata.Remove(name);
    }

    /// <summary>Puts back what an update may not change, in place. A given uid that differs is checked by the caller.</summary>
    public static void CarryOver(JsonObject metadata, JsonObject old)
    {
        foreach (var name in Frozen) metadata.Put(name, old[name]);
        metadata.Put("namespace", old["namespace"]);
        metadata.Put("resourceVersion", old["resourceVersion"]);
        metadata.Remove("selfLink");
    }

    /// <summary>Drops members that are empty: a typed object does not keep them. In place.</summary>
    public static void DropEmpty(JsonObject metadata)
    {
        foreach (var (name, value) in metadata.ToList())
        {
            if (value is null or JsonObject { Count: 0 } or JsonArray { Count: 0 }) metadata.Remove(name);
        }
    }

    public static bool IsDeleting(JsonObject tree) => tree.Metadata().Text("deletionTimestamp") is not null;

    public static List<string> Finalizers(JsonObject tree) => tree.Metadata().Texts("finalizers");

    /// <summary>Errors in names, labels, annotations, finalizers and owner references.</summary>
    public static IEnumerable<FieldError> Validate(JsonObject metadata, JsonObject? old, ObjectRules rules)
    {
        if (metadata.Text("name") is not { Length: > 0 } name) yield return FieldError.Required("metadata.name", "name or generateName is required");
        else if (old is null && rules.NameProblem(name) is { } problem) yield return FieldError.Invalid("metadata.name", $"\"{name}\"", problem);
        foreach (var (key, value) in metadata.Map("labels") ?? [])
        {
            if (MetadataNames.QualifiedNameProblem(key) is { } bad) yield return FieldError.Invalid("metadata.labels", $"\"{key}\"", bad);
            var text = (string?)value ?? "";
            if (MetadataNames.LabelValueProblem(text) is { } badValue) yield return FieldError.Invalid("metadata.labels", $"\"{text}\"", badValue);
        }
        var bytes = 0L;
        foreach (var (key, value) in metadata.Map("annotations") ?? [])
        {
            if (MetadataNames.QualifiedNameProblem(key.ToLowerInvariant()) is { } bad) yield return FieldError.Invalid("metadata.annotations", $"\"{key}\"", bad);
            bytes += key.Length + ((string?)value ?? "").Length;
        }
        if (bytes > MaxAnnotationBytes) yield return FieldError.TooLong("metadata.annotations", $"must have at most {MaxAnnotationBytes} bytes");
        foreach (var finalizer in metadata.Texts("finalizers"))
        {
            if (MetadataNames.QualifiedNameProblem(finalizer) is { } bad) yield return FieldError.Invalid("metadata.finalizers", $"\"{finalizer}\"", bad);
            if (old is not null && old.ContainsKey("deletionTimestamp") && !old.Texts("finalizers").Contains(finalizer))
                yield return FieldError.Forbidden("metadata.finalizers", $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{\"{finalizer}\"}}");
        }
        foreach (var error in ValidateOwners(metadata)) yield return error;
    }

    private static IEnumerable<FieldError> ValidateOwners(JsonObject metadata)
    {
        foreach (var owner in metadata.List("ownerReferences")?.OfType<JsonObject>() ?? [])
        {
            const string path = "metadata.ownerReferences";
            foreach (var member in new[] { "apiVersion", "kind", "name", "uid" })
            {
                if (owner.Text(member) is null or "") yield return FieldError.Required($"{path}.{member}", $"{member} must not be empty");
            }
        }
    }
}
