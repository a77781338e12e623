using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;

namespace Ome.LocalCluster.Storage;

/// <summary>One immutable version of an object: its JSON as sent to clients, and the parts that are asked for without parsing.</summary>
/// <remarks>Kept as bytes because a version is written once and sent to every reader and watcher; a parsed tree is not safe to share between threads.</remarks>
public sealed class StoredObject
{
    private StoredObject(ObjectKey key, long revision, byte[] json, JsonObject tree)
    {
        Key = key;
        Revision = revision;
        Json = json;
        var metadata = tree.Metadata();
        Uid = metadata.Text("uid") ?? "";
        Labels = metadata["labels"] is JsonObject labels ? Texts(labels) : EmptyLabels;
        Owners = OwnerReference.ReadAll(metadata);
    }

    private static readonly IReadOnlyDictionary<string, string> EmptyLabels = new Dictionary<string, string>(StringComparer.Ordinal);

    public ObjectKey Key { get; }

    /// <summary>Revision of the write that made this version; equals <c>metadata.resourceVersion</c>.</summary>
    public long Revision { get; }

    /// <summary>UTF-8 JSON in the storage version.</summary>
    public byte[] Json { get; }

    public string Uid { get; }

    public IReadOnlyDictionary<string, string> Labels { get; }

    public IReadOnlyList<OwnerReference> Owners { get; }

    /// <summary>A fresh tree the caller may change.</summary>
    public JsonObject Parse() => JsonNode.Parse(Json)!.AsObject();

    /// <summary>Takes the tree, stamps the revision into it and freezes it.</summary>
    public static StoredObject Freeze(ObjectKey key, long revision, JsonObject tree)
    {
        tree.Metadata()["resourceVersion"] = Revisions.Format(revision);
        return new StoredObject(key, revision, JsonText.ToUtf8(tree), tree);
    }

    private static Dictionary<string, string> Texts(JsonObject map)
    {
        var texts = new Dictionary<string, string>(map.Count, StringComparer.Ordinal);
        foreach (var (name, value) in map) texts[name] = value is JsonValue text && text.TryGetValue<string>(out var content) ? content : "";
        return texts;
    }
}
