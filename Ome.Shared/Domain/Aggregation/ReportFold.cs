using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>
/// The incremental form of <see cref="ModelAggregator.Fold"/>: holds the least of every report, takes one change at a time in a time that does not
/// depend on the number of nodes, and names exactly the models whose aggregate got other input. Not thread-safe: one owner.
/// <para>Both sides are packed, because there are nodes times models of them: a node keeps a row of fingerprints in the order of its report, a
/// model a row of what nodes say. An unchanged entry costs one comparison in a row that is read from front to back.</para>
/// </summary>
public sealed class ReportFold
{
    private static readonly NodeModelFact Unread = NodeModelFact.Of(default);

    private readonly Dictionary<string, NodeRow> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModelRow> _models = new(StringComparer.Ordinal);

    /// <summary>Nodes with a report.</summary>
    public int ReportCount { get; private set; }

    /// <summary>Nodes that exist.</summary>
    public int LiveNodeCount { get; private set; }

    /// <summary>Entries of all reports, and those of them that nobody can read.</summary>
    public (int All, int Unreadable) EntryCounts { get; private set; }

    /// <summary>Models known now.</summary>
    public IEnumerable<ModelKey> Models => _models.Values.SelectMany(static row => row.Owners.Select(static owner => owner.Model));

    /// <summary>Nodes that have a report but no Node object.</summary>
    public IEnumerable<string> NodesGone => _nodes.Values.Where(static node => node.HasReport && !node.IsLive).Select(static node => node.Name);

    /// <summary>Makes a model known, or its wanted files changed.</summary>
    /// <returns>True when that is news.</returns>
    public bool SetModel(ModelKey model, StorageIdentity wanted)
    {
        var row = RowOf(model.DataKey);
        var at = row.Owners.FindIndex(owner => owner.Model == model);
        if (at >= 0 && row.Owners[at].Wanted == wanted) return false;
        if (at >= 0) row.Owners[at] = (model, wanted);
        else row.Owners.Add((model, wanted));
        return true;
    }

    /// <summary>Forgets a model; what nodes say of it stays, in case it comes back.</summary>
    public void RemoveModel(ModelKey model)
    {
        if (!_models.TryGetValue(model.DataKey, out var row)) return;
        row.Owners.RemoveAll(owner => owner.Model == model);
        Drop(row);
    }

    /// <summary>Whether <see cref="SetModel"/> made a model known.</summary>
    public bool Knows(ModelKey model) => _models.TryGetValue(model.DataKey, out var row) && row.Owners.Exists(owner => owner.Model == model);

    /// <summary>A Node object appeared or went. Reports of nodes that do not exist count for nothing.</summary>
    public void SetNode(string nodeName, bool isLive, List<ModelKey> changed)
    {
        if (IsLive(nodeName) == isLive) return;
        var node = NodeOf(nodeName);
        node.IsLive = isLive;
        LiveNodeCount += isLive ? 1 : -1;
        foreach (var entry in node.Entries) Name(entry.Model, changed);
        Drop(node);
    }

    /// <summary>Whether the Node object exists, as far as we were told.</summary>
    public bool IsLive(string nodeName) => _nodes.TryGetValue(nodeName, out var node) && node.IsLive;

    /// <summary>Takes the data of a node ConfigMap, new or changed. Entries with the same text as before are not read again.</summary>
    /// <param name="nodeName">Name of the ConfigMap, which is the name of its node.</param>
    /// <param name="data">Data of the ConfigMap; the caller disposes it.</param>
    /// <param name="changed">Gets the models whose aggregate has other input now.</param>
    public void SetReport(string nodeName, ReportData data, List<ModelKey> changed)
    {
        var node = NodeOf(nodeName);
        if (!node.HasReport) ReportCount++;
        node.HasReport = true;
        node.Round++;
        node.Reserve(data.Count);
        var (at, seen) = (0, 0);
        for (var i = 0; i < data.Count; i++)
        {
            // The API server sorts the keys, so an entry is nearly always where the last one makes it expected.
            if (!TryFind(node, data.Key(i), ref at, out var model))
            {
                if (model is null && !ModelKey.TryParseDataKey(data.Key(i), out _)) continue;
                model ??= RowOf(data.Key(i));
                node.Insert(at, new Entry { Model = model, HeldAt = model.Holdings.Count });
                model.Holdings.Add(new Holding(node, Unread, HeldFact.NoProof));
            }

            seen += Take(node, ref node.EntryAt(at), data, i, changed) ? 1 : 0;
            at++;
        }

        if (seen != node.Entries.Length) RemoveUnseen(node, changed);
        Drop(node);
    }

    /// <summary>The same for texts in hand.</summary>
    public void SetReport(string nodeName, IEnumerable<KeyValuePair<string, string>>? texts, List<ModelKey> changed)
    {
        using var data = ReportData.Of(texts);
        SetReport(nodeName, data, changed);
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
        if (!_models.TryGetValue(model.DataKey, out var row)) return null;
        var at = row.Owners.FindIndex(owner => owner.Model == model);
        if (at < 0) return null;
        var facts = new List<HeldFact>(row.Holdings.Count);
        foreach (var (node, fact, proof) in row.Holdings)
        {
            if (node.IsLive) facts.Add(new(node.Name, fact, proof));
        }

        return ModelAggregator.Build(model, row.Owners[at].Wanted, facts);
    }

    /// <summary>Gives room back that was made for more: worth it once all is listed.</summary>
    public void Trim()
    {
        foreach (var row in _models.Values) row.Holdings.TrimExcess();
    }

    /// <summary>As <see cref="NodesGone"/>, only those whose readable report still holds the model.</summary>
    public IReadOnlyList<string> NodesGoneHolding(ModelKey model) => !_models.TryGetValue(model.DataKey, out var row)
        ? []
        : [.. row.Holdings.Where(held => !held.Node.IsLive && held.Fact.Unreadable is null && held.Fact.State != NodeModelState.Deleted && held.Fact.IsAbout(model))
            .Select(static held => held.Node.Name).Order(StringComparer.Ordinal)];

    /// <summary>Whether an entry would be read anew with this text, because it seems to differ from the last one.</summary>
    public bool WouldRead(string nodeName, string dataKey, string text)
    {
        if (!_nodes.TryGetValue(nodeName, out var node) || !_models.TryGetValue(dataKey, out var model) || node.IndexOf(model) is not (>= 0 and var at)) return true;
        using var data = ReportData.Of([new(dataKey, text)]);
        return node.EntryAt(at).Fingerprint != data.Fingerprint(0);
    }

    // Where the key's entry is, or where it belongs when there is none.
    private bool TryFind(NodeRow node, string key, ref int at, out ModelRow? model)
    {
        if (at < node.Entries.Length && node.Entries[at].Model is var expected && expected.DataKey == key)
        {
            model = expected;
            return true;
        }

        if (!_models.TryGetValue(key, out model) || node.IndexOf(model) is not (>= 0 and var found)) return false;
        at = found;
        return true;
    }

    // False for a key that the same report has already brought.
    private bool Take(NodeRow node, ref Entry entry, ReportData data, int index, List<ModelKey> changed)
    {
        var isNew = entry.Round == 0;
        var isFirst = entry.Round != node.Round;
        entry.Round = node.Round;
        if (!isNew && entry.Fingerprint == data.Fingerprint(index)) return isFirst;
        var item = data.Item(index);
        var held = new Holding(node, entry.Model.Shared(NodeModelFact.Of(item)), HeldFact.ProofOf(item));
        entry.Fingerprint = data.Fingerprint(index);
        ref var current = ref entry.Model.HoldingAt(entry.HeldAt);
        if (!isNew && current == held) return isFirst;
        Count(isNew ? 1 : 0, (held.Fact.Unreadable is null ? 0 : 1) - (isNew || current.Fact.Unreadable is null ? 0 : 1));
        current = held;
        if (node.IsLive) Name(entry.Model, changed);
        return isFirst;
    }

    private void RemoveUnseen(NodeRow node, List<ModelKey> changed)
    {
        foreach (var entry in node.TakeAllBut(node.Round))
        {
            Count(-1, entry.Model.HoldingAt(entry.HeldAt).Fact.Unreadable is null ? 0 : -1);
            entry.Model.Remove(entry.HeldAt);
            if (node.IsLive) Name(entry.Model, changed);
            Drop(entry.Model);
        }
    }

    private void Count(int all, int unreadable) => EntryCounts = (EntryCounts.All + all, EntryCounts.Unreadable + unreadable);

    // A model nobody made known yet is named by its key, so that whoever asks may look for it.
    private static void Name(ModelRow row, List<ModelKey> changed)
    {
        foreach (var (model, _) in row.Owners) changed.Add(model);
        if (row.Owners.Count == 0 && ModelKey.TryParseDataKey(row.DataKey, out var parsed)) changed.Add(parsed);
    }

    private NodeRow NodeOf(string name)
    {
        if (!_nodes.TryGetValue(name, out var node)) _nodes[name] = node = new NodeRow(name);
        return node;
    }

    private ModelRow RowOf(string dataKey)
    {
        if (!_models.TryGetValue(dataKey, out var row)) _models[dataKey] = row = new ModelRow(dataKey);
        return row;
    }

    private void Drop(NodeRow node)
    {
        if (!node.IsLive && !node.HasReport) _nodes.Remove(node.Name);
    }

    private void Drop(ModelRow row)
    {
        if (row.Owners.Count == 0 && row.Holdings.Count == 0) _models.Remove(row.DataKey);
    }
}
