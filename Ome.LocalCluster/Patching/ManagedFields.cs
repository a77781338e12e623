using System.Globalization;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>Who of the writers: the same name writes as Apply and as Update, to the object and to its subresources, independently.</summary>
/// <param name="Name">Field manager.</param>
/// <param name="Operation"><c>Apply</c> or <c>Update</c>.</param>
/// <param name="ApiVersion">Tells updates apart; an applier keeps one entry whatever version it applies.</param>
/// <param name="Subresource">Empty for the object itself.</param>
internal sealed record ManagerKey(string Name, string Operation, string ApiVersion, string Subresource)
{
    public const string Apply = "Apply";
    public const string Update = "Update";

    public static ManagerKey Applier(string name, string? subresource) => new(name, Apply, "", subresource ?? "");

    public static ManagerKey Updater(string name, string apiVersion, string? subresource) => new(name, Update, apiVersion, subresource ?? "");

    /// <summary>As conflict messages name it: <c>"kubectl" with subresource "status" using v1</c>.</summary>
    public string Describe(string apiVersion) =>
        $"\"{Name}\"" + (Subresource.Length == 0 ? "" : $" with subresource \"{Subresource}\"") + (Operation == Apply ? "" : $" using {apiVersion}");
}

/// <summary><c>metadata.managedFields</c> as values.</summary>
internal sealed class ManagedFields
{
    // kube-apiserver's bound: older updaters are folded into one entry.
    private const int MaxUpdaters = 10;

    private readonly Dictionary<ManagerKey, Entry> _entries = [];

    private sealed record Entry(FieldSet Fields, string ApiVersion, string? Time);

    public IEnumerable<ManagerKey> Managers => _entries.Keys;

    public FieldSet Of(ManagerKey manager) => _entries.TryGetValue(manager, out var entry) ? entry.Fields : new();

    public string VersionOf(ManagerKey manager) => _entries[manager].ApiVersion;

    public FieldSet OfAll() => _entries.Values.Aggregate(new FieldSet(), (all, entry) => all.Union(entry.Fields));

    /// <summary>Reads the list; an entry that makes no sense is dropped, as kube-apiserver does: ownership is lost, the object is not.</summary>
    public static ManagedFields Read(JsonObject? resource)
    {
        var result = new ManagedFields();
        foreach (var item in (resource?["metadata"] as JsonObject)?["managedFields"] as JsonArray ?? [])
        {
            if (item is not JsonObject entry || entry["fieldsV1"] is not JsonObject fields || Text(entry, "manager") is not { } name) continue;
            var version = Text(entry, "apiVersion") ?? "";
            var subresource = Text(entry, "subresource");
            var key = Text(entry, "operation") == ManagerKey.Apply ? ManagerKey.Applier(name, subresource) : ManagerKey.Updater(name, version, subresource);
            try
            {
                result._entries[key] = new(FieldSet.FromJson(fields), version, Text(entry, "time"));
            }
            catch (FormatException)
            {
                // Dropped, as said above.
            }
        }
        return result;
    }

    /// <summary>Gives the manager a new set; an empty one removes it. The time moves only when asked.</summary>
    public void Set(ManagerKey manager, FieldSet fields, string apiVersion, DateTimeOffset? time)
    {
        var stamp = time?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? _entries.GetValueOrDefault(manager)?.Time;
        if (fields.IsEmpty) _entries.Remove(manager);
        else _entries[manager] = new(fields, apiVersion, stamp);
    }

    /// <summary>Takes fields away from one manager.</summary>
    public void Take(ManagerKey manager, FieldSet fields) => Set(manager, Of(manager).Except(fields), VersionOf(manager), null);

    public void WriteTo(JsonObject resource)
    {
        if (resource["metadata"] is not JsonObject metadata) resource["metadata"] = metadata = [];
        if (_entries.Count == 0) metadata.Remove("managedFields");
        else metadata["managedFields"] = new JsonArray([.. Ordered(Bounded()).Select(entry => Write(entry.Key, entry.Value))]);
    }

    private Dictionary<ManagerKey, Entry> Bounded()
    {
        var updaters = Ordered(_entries).Where(entry => entry.Key.Operation == ManagerKey.Update).ToList();
        if (updaters.Count <= MaxUpdaters) return _entries;
        var result = new Dictionary<ManagerKey, Entry>(_entries);
        foreach (var (key, entry) in updaters.Take(updaters.Count - MaxUpdaters + 1))
        {
            result.Remove(key);
            var ancient = ManagerKey.Updater("ancient-changes", entry.ApiVersion, null);
            result[ancient] = entry with { Fields = result.TryGetValue(ancient, out var before) ? before.Fields.Union(entry.Fields) : entry.Fields };
        }
        return result;
    }

    private static IEnumerable<KeyValuePair<ManagerKey, Entry>> Ordered(Dictionary<ManagerKey, Entry> entries) => entries
        .OrderBy(entry => entry.Key.Operation, StringComparer.Ordinal)
        .ThenBy(entry => entry.Value.Time, StringComparer.Ordinal)
        .ThenBy(entry => entry.Key.Name, StringComparer.Ordinal)
        .ThenBy(entry => entry.Value.ApiVersion, StringComparer.Ordinal)
        .ThenBy(entry => entry.Key.Subresource, StringComparer.Ordinal);

    private static JsonObject Write(ManagerKey key, Entry entry)
    {
        var result = new JsonObject { ["manager"] = key.Name, ["operation"] = key.Operation, ["apiVersion"] = entry.ApiVersion };
        if (entry.Time is not null) result["time"] = entry.Time;
        result["fieldsType"] = "FieldsV1";
        result["fieldsV1"] = entry.Fields.ToJson();
        if (key.Subresource.Length > 0) result["subresource"] = key.Subresource;
        return result;
    }

    private static string? Text(JsonObject entry, string member) => entry[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
