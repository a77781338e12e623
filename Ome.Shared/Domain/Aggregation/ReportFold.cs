using System.Runtime.InteropServices;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>
/// The incremental form of <see cref="ModelAggregator.Fold"/>: holds the least of every report, takes one change at a time in a time that does not
/// depend on the number of nodes, and names exactly the models whose aggregate got other input. Not thread-safe: one owner.
/// </summary>
public sealed class ReportFold
{
    private readonly Dictionary<string, NodeSlot> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModelSlot> _slots = new(StringComparer.Ordinal);

    /// <summary>Nodes with a report.</summary>
    public int ReportCount { get; private set; }

    /// <summary>Nodes that exist.</summary>
    public int LiveNodeCount { get; private set; }

    /// <summary>Makes a model known, or its wanted files changed.</summary>
    /// <returns>True when that is news.</returns>
    public bool SetModel(ModelKey model, StorageIdentity wanted)
    {
        var slot = SlotOf(model.DataKey);
        var at = slot.Owners.FindIndex(owner => owner.Model == model);
        if (at >= 0 && slot.Owners[at].Wanted == wanted) return false;
        if (at >= 0) slot.Owners[at] = (model, wanted);
        else slot.Owners.Add((model, wanted));
        return true;
    }

    /// <summary>Forgets a model; what nodes say of it stays, in case it comes back.</summary>
    public void RemoveModel(ModelKey model)
    {
        if (!_slots.TryGetValue(model.DataKey, out var slot)) return;
        slot.Owners.RemoveAll(owner => owner.Model == model);
        Drop(slot);
    }

    /// <summary>A Node object appeared or went. Reports of nodes that do not exist count for nothing.</summary>
    public void SetNode(string nodeName, bool isLive, List<ModelKey> changed)
    {
        if (IsLive(nodeName) == isLive) return;
        var node = NodeOf(nodeName);
        node.IsLive = isLive;
        LiveNodeCount += isLive ? 1 : -1;
        foreach (var entry in node.Entries.Values) Name(entry.Slot, changed);
        Drop(node);
    }

    /// <summary>Whether the Node object exists, as far as we were told.</summary>
    public bool IsLive(string nodeName) => _nodes.TryGetValue(nodeName, out var node) && node.IsLive;

    /// <summary>Takes the data of a node ConfigMap, new or changed. Entries with the same text as before are not read again.</summary>
    /// <param name="nodeName">Name of the ConfigMap, which is the name of its node.</param>
    /// <param name="data">Data of the ConfigMap.</param>
    /// <param name="changed">Gets the models whose aggregate has other input now.</param>
    public void SetReport(string nodeName, IEnumerable<KeyValuePair<string, string>>? data, List<ModelKey> changed)
    {
        var node = NodeOf(nodeName);
        if (!node.HasReport) ReportCount++;
        node.HasReport = true;
        node.Round++;
        var seen = 0;
        // Enumerating the usual type by its own struct keeps a quiet report free of allocation.
        if (data is Dictionary<string, string> dictionary)
        {
            foreach (var (key, text) in dictionary) seen += Take(node, key, text, changed) ? 1 : 0;
        }
        else
        {
            foreach (var (key, text) in data ?? []) seen += Take(node, key, text, changed) ? 1 : 0;
        }

        if (seen != node.Entries.Count) RemoveUnseen(node, changed);
        Drop(node);
    }

    /// <summary>A node ConfigMap went.</summary>
    public void RemoveReport(string nodeName, List<ModelKey> changed)
    {
        if (!_nodes.TryGetValue(nodeName, out var node) || !node.HasReport) return;
        ReportCount--;
        node.HasReport = false;
        node.Round++;
        RemoveUnseen(node, changed);
        Drop(node);
    }

    /// <summary>What all live nodes say of a model that <see cref="SetModel"/> made known; null otherwise.</summary>
    public ModelAggregate? Aggregate(ModelKey model)
    {
        if (!_slots.TryGetValue(model.DataKey, out var slot)) return null;
        var at = slot.Owners.FindIndex(owner => owner.Model == model);
        if (at < 0) return null;
        var facts = new List<KeyValuePair<string, NodeModelFact>>(slot.Facts.Count);
        foreach (var (node, fact) in slot.Facts)
        {
            if (node.IsLive) facts.Add(new(node.Name, fact));
        }

        return ModelAggregator.Build(model, slot.Owners[at].Wanted, facts);
    }

    /// <summary>Models known now.</summary>
    public IEnumerable<ModelKey> Models => _slots.Values.SelectMany(static slot => slot.Owners.Select(static owner => owner.Model));

    /// <summary>Nodes that have a report but no Node object.</summary>
    public IEnumerable<string> NodesGone => _nodes.Values.Where(static node => node.HasReport && !node.IsLive).Select(static node => node.Name);

    /// <summary>As <see cref="NodesGone"/>, only those whose readable report still holds the model.</summary>
    public IReadOnlyList<string> NodesGoneHolding(ModelKey model) => !_slots.TryGetValue(model.DataKey, out var slot)
        ? []
        : [.. slot.Facts.Where(pair => !pair.Key.IsLive && pair.Value.Unreadable is null && pair.Value.State != NodeModelState.Deleted && pair.Value.IsAbout(model))
            .Select(static pair => pair.Key.Name).Order(StringComparer.Ordinal)];

    /// <summary>Whether an entry would be read anew with this text, because it seems to differ from the last one.</summary>
    public bool WouldRead(string nodeName, string dataKey, string text) =>
        !_nodes.TryGetValue(nodeName, out var node) || !node.Entries.TryGetValue(dataKey, out var entry) || entry.Fingerprint != TextFingerprint.Of(text);

    private bool Take(NodeSlot node, string key, string text, List<ModelKey> changed)
    {
        var fingerprint = TextFingerprint.Of(text ?? string.Empty);
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(node.Entries, key);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry))
        {
            entry.Round = node.Round;
            if (entry.Fingerprint == fingerprint) return true;
            entry.Fingerprint = fingerprint;
            if (Replace(entry.Slot, node, text) && node.IsLive) Name(entry.Slot, changed);
            return true;
        }

        if (!ModelKey.TryParseDataKey(key, out _)) return false;
        var slot = SlotOf(key);
        node.Entries[slot.DataKey] = new EntrySlot { Fingerprint = fingerprint, Round = node.Round, Slot = slot };
        Replace(slot, node, text);
        if (node.IsLive) Name(slot, changed);
        return true;
    }

    private static bool Replace(ModelSlot slot, NodeSlot node, string? text)
    {
        var fact = slot.Shared(NodeModelFact.Of(NodeReportItem.Read(text)));
        ref var current = ref CollectionsMarshal.GetValueRefOrAddDefault(slot.Facts, node, out var exists);
        if (exists && current == fact) return false;
        current = fact;
        return true;
    }

    private void RemoveUnseen(NodeSlot node, List<ModelKey> changed)
    {
        foreach (var (key, entry) in node.Entries)
        {
            if (entry.Round == node.Round) continue;
            node.Entries.Remove(key);
            entry.Slot.Facts.Remove(node);
            if (node.IsLive) Name(entry.Slot, changed);
            Drop(entry.Slot);
        }
    }

    // A model nobody made known yet is named by its key, so that whoever asks may look for it.
    private static void Name(ModelSlot slot, List<ModelKey> changed)
    {
        foreach (var (model, _) in slot.Owners) changed.Add(model);
        if (slot.Owners.Count == 0 && ModelKey.TryParseDataKey(slot.DataKey, out var parsed)) changed.Add(parsed);
    }

    private NodeSlot NodeOf(string name)
    {
        if (!_nodes.TryGetValue(name, out var node)) _nodes[name] = node = new NodeSlot(name);
        return node;
    }

    private ModelSlot SlotOf(string dataKey)
    {
        if (!_slots.TryGetValue(dataKey, out var slot)) _slots[dataKey] = slot = new ModelSlot(dataKey);
        return slot;
    }

    private void Drop(NodeSlot node)
    {
        if (!node.IsLive && !node.HasReport) _nodes.Remove(node.Name);
    }

    private void Drop(ModelSlot slot)
    {
        if (slot.Owners.Count == 0 && slot.Facts.Count == 0) _slots.Remove(slot.DataKey);
    }

    private sealed class NodeSlot(string name)
    {
        public string Name { get; } = name;

        public Dictionary<string, EntrySlot> Entries { get; } = new(StringComparer.Ordinal);

        public bool IsLive { get; set; }

        public bool HasReport { get; set; }

        public int Round { get; set; }
    }

    private struct EntrySlot
    {
        public ulong Fingerprint;
        public int Round;
        public ModelSlot Slot;
    }

    private sealed class ModelSlot(string dataKey)
    {
        private const int PoolSize = 8;
        private readonly List<SpecFacts> _facts = [];
        private string? _uri;
        private string? _path;
        private string? _name;

        public string DataKey { get; } = dataKey;

        public List<(ModelKey Model, StorageIdentity Wanted)> Owners { get; } = [];

        public Dictionary<NodeSlot, NodeModelFact> Facts { get; } = [];

        /// <summary>Thousands of nodes say the same of one model: keep each text once.</summary>
        public NodeModelFact Shared(NodeModelFact fact) => fact.Sharing(ref _name, ref _uri, ref _path, Pooled(fact.Facts));

        private SpecFacts? Pooled(SpecFacts? facts)
        {
            if (facts is null) return null;
            var at = _facts.IndexOf(facts);
            if (at >= 0) return _facts[at];
            if (_facts.Count == PoolSize) _facts.RemoveAt(0);
            _facts.Add(facts);
            return facts;
        }
    }
}
