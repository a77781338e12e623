namespace Ome.Shared.Domain.Reporting;

/// <summary>All a node says: one entry per model, keyed by ConfigMap data key. A bad entry spoils only itself.</summary>
/// <param name="NodeName">Name of the node, which is the name of its ConfigMap (contract 2.1).</param>
/// <param name="Entries">Readable and unreadable entries by data key; keys that name no model are not here.</param>
public sealed record NodeReport(string NodeName, IReadOnlyDictionary<string, NodeReportItem> Entries)
{
    /// <summary>A report without entries.</summary>
    public static NodeReport Empty(string nodeName) => new(nodeName, new Dictionary<string, NodeReportItem>(StringComparer.Ordinal));

    /// <summary>Reads the data of a node ConfigMap. Keys that are not model keys are left alone (contract 2.4).</summary>
    public static NodeReport Read(string nodeName, IEnumerable<KeyValuePair<string, string>>? data)
    {
        var entries = new Dictionary<string, NodeReportItem>(StringComparer.Ordinal);
        foreach (var (key, text) in data ?? [])
        {
            if (Models.ModelKey.TryParseDataKey(key, out _)) entries[key] = NodeReportItem.Read(text);
        }

        return new NodeReport(nodeName, entries);
    }

    /// <summary>Labels a node ConfigMap carries (contract 2.1); the <c>node</c> label only when the name fits a label value.</summary>
    public static IReadOnlyDictionary<string, string> LabelsFor(string nodeName)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [OmeNames.ReportLabel] = OmeNames.ReportLabelValue };
        if (nodeName.Length <= OmeNames.MaxLabelValueLength) labels[OmeNames.ReportNodeLabel] = nodeName;
        return labels;
    }

    /// <summary>Annotations a node ConfigMap carries (contract 2.1).</summary>
    public static IReadOnlyDictionary<string, string> AnnotationsFor(string nodeName) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [OmeNames.NodeNameAnnotation] = nodeName,
        [OmeNames.ManagedByAnnotation] = OmeNames.ManagedByValue,
    };
}

/// <summary>One value of a node ConfigMap: an entry, or why it is none.</summary>
/// <param name="Entry">The entry, or null.</param>
/// <param name="Error">Why the text is not an entry, or null.</param>
public readonly record struct NodeReportItem(NodeModelEntry? Entry, string? Error)
{
    /// <summary>Reads one value.</summary>
    public static NodeReportItem Read(string? text) =>
        NodeReportCodec.TryDecode(text, out var entry, out var error) ? new NodeReportItem(entry, null) : new NodeReportItem(null, error);
}
