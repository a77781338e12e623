using System.Runtime.InteropServices;
using Ome.Shared.Domain.Models;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>One entry of a node's report: what tells whether it changed, and where the model keeps what it says. 24 bytes.</summary>
internal struct Entry
{
    /// <summary>Of the text that was read last.</summary>
    public ulong Fingerprint;

    /// <summary>The model it is about.</summary>
    public ModelRow Model;

    /// <summary>Index of the holding in <see cref="Model"/>.</summary>
    public int HeldAt;

    /// <summary>Report that brought it last; 0 before the first.</summary>
    public int Round;
}

/// <summary>What one node says of the model whose row this is in. 24 bytes.</summary>
internal readonly record struct Holding(NodeRow Node, NodeModelFact Fact, long Proof);

/// <summary>A node and the entries of its report, in the order of the report.</summary>
internal sealed class NodeRow(string name)
{
    private Entry[] _entries = [];
    private int _count;

    public string Name { get; } = name;

    public ReadOnlySpan<Entry> Entries => _entries.AsSpan(0, _count);

    public bool IsLive { get; set; }

    public bool HasReport { get; set; }

    public int Round { get; set; }

    public ref Entry EntryAt(int index) => ref _entries[index];

    /// <summary>Index of the entry about a model, or -1.</summary>
    public int IndexOf(ModelRow model)
    {
        for (var i = 0; i < _count; i++)
        {
            if (ReferenceEquals(_entries[i].Model, model)) return i;
        }

        return -1;
    }

    /// <summary>Makes room for a report of this many entries, and no more: there are thousands of rows.</summary>
    public void Reserve(int count)
    {
        if (_entries.Length < count) Array.Resize(ref _entries, count);
    }

    /// <summary>Puts an entry where the report has it.</summary>
    public void Insert(int index, Entry entry)
    {
        Reserve(_count + 1);
        Array.Copy(_entries, index, _entries, index + 1, _count - index);
        _entries[index] = entry;
        _count++;
    }

    /// <summary>Removes the entries that a report did not bring, and gives them.</summary>
    public IReadOnlyList<Entry> TakeAllBut(int round)
    {
        var gone = new List<Entry>();
        var kept = 0;
        for (var i = 0; i < _count; i++)
        {
            if (_entries[i].Round == round) _entries[kept++] = _entries[i];
            else gone.Add(_entries[i]);
        }

        Array.Clear(_entries, kept, _count - kept);
        _count = kept;
        return gone;
    }
}

/// <summary>The models of one data key, and what nodes say of them, in no order.</summary>
internal sealed class ModelRow(string dataKey)
{
    private const int PoolSize = 8;
    private readonly List<NodeModelFact> _common = [];
    private NodeModelFact? _last;

    public string DataKey { get; } = dataKey;

    public List<(ModelKey Model, StorageIdentity Wanted)> Owners { get; } = [];

    public List<Holding> Holdings { get; } = [];

    public ref Holding HoldingAt(int index) => ref CollectionsMarshal.AsSpan(Holdings)[index];

    /// <summary>Removes a holding; the last one takes its place, and its node is told.</summary>
    public void Remove(int index)
    {
        var last = Holdings[^1];
        Holdings.RemoveAt(Holdings.Count - 1);
        if (index == Holdings.Count) return;
        Holdings[index] = last;
        last.Node.EntryAt(last.Node.IndexOf(this)).HeldAt = index;
    }

    /// <summary>Thousands of nodes say the same of one model: keep it once, or at least its texts.</summary>
    public NodeModelFact Shared(NodeModelFact fact)
    {
        foreach (var known in _common)
        {
            if (known == fact) return known;
        }

        fact = _last is null ? fact : fact.Sharing(_last);
        _last = fact;
        if (!fact.IsCommon) return fact;
        if (_common.Count == PoolSize) _common.RemoveAt(0);
        _common.Add(fact);
        return fact;
    }
}
