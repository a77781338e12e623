using Ome.Shared.Domain.Models;

namespace Ome.Agent.Models;

/// <summary>What is wanted of this node for one model.</summary>
/// <param name="Spec">The model as it is now.</param>
/// <param name="Uri">Its parsed source; null when refused.</param>
/// <param name="Destination">Where its files lie; null when refused.</param>
/// <param name="Refusal">Why the spec cannot be carried out: names the field, the value and the remedy; null when it can.</param>
public sealed record ModelWish(ModelSpec Spec, StorageUri? Uri, string? Destination, string? Refusal)
{
    /// <summary>Taken from the record of an earlier time: enough to check the files, not to fetch them.</summary>
    public bool IsRemembered { get; init; }

    /// <summary>Remembered by an agent that did not keep the annotations: what the author asked for is not known, and a proof is all that may be made of it.</summary>
    public bool IsGuessed { get; init; }
}

/// <summary>
/// The models as the API server has them and the node they are judged against. Knows which models this node wants; nothing here waits, reads a disk or
/// calls a server.
/// </summary>
public sealed class ModelCatalog(DestinationRule destinations, NodeFacts node)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ModelKey, ModelSpec> _specs = [];

    // Models whose objects cannot be read, with the directory of their files as far as it is known.
    private readonly Dictionary<ModelKey, string?> _unreadable = [];
    private NodeFacts _node = node;
    private bool _isListed;

    public NodeFacts Node
    {
        get
        {
            lock (_gate) return _node;
        }
    }

    /// <summary>All models there are, wanted here or not.</summary>
    public IReadOnlyList<ModelSpec> All
    {
        get
        {
            lock (_gate) return [.. _specs.Values];
        }
    }

    /// <summary>Models whose objects cannot be read: no one of them is gone.</summary>
    public int Unreadable
    {
        get
        {
            lock (_gate) return _unreadable.Count;
        }
    }

    /// <summary>From now on a model that is not here is gone.</summary>
    public void Listed()
    {
        lock (_gate) _isListed = true;
    }

    /// <summary>There is such a model, and its object cannot be read; what was known of it stands.</summary>
    public void PutUnreadable(ModelKey key, string? directory)
    {
        lock (_gate) _unreadable[key] = directory;
    }

    /// <summary>The object can be read, or is gone.</summary>
    public void RemoveUnreadable(ModelKey key)
    {
        lock (_gate) _unreadable.Remove(key);
    }

    public bool IsUnreadable(ModelKey key)
    {
        lock (_gate) return _unreadable.ContainsKey(key);
    }

    /// <summary>Takes a model's newest version; false when nothing that matters to us changed.</summary>
    public bool Put(ModelSpec spec)
    {
        lock (_gate)
        {
            if (_specs.TryGetValue(spec.Key, out var before) && before.Uid == spec.Uid && before.Generation == spec.Generation && SameMarks(before, spec)) return false;
            _specs[spec.Key] = spec;
            return true;
        }
    }

    /// <summary>Forgets a model that is gone; a namesake with another UID stays.</summary>
    public void Remove(ModelKey key, string uid)
    {
        lock (_gate)
        {
            if (_specs.TryGetValue(key, out var spec) && spec.Uid == uid) _specs.Remove(key);
        }
    }

    /// <summary>Takes the node's newest facts and names the models whose placement they change.</summary>
    public IReadOnlyList<ModelKey> PutNode(NodeFacts node)
    {
        lock (_gate)
        {
            var before = _node;
            _node = node;
            return [.. _specs.Values.Where(spec => PlacementRules.Decide(spec, before).IsSelected != PlacementRules.Decide(spec, node).IsSelected).Select(spec => spec.Key)];
        }
    }

    /// <summary>What is wanted of this node for a model; null when it is gone, being deleted, or not placed here.</summary>
    public ModelWish? Find(ModelKey key)
    {
        lock (_gate)
        {
            if (!_specs.TryGetValue(key, out var spec) || spec.IsDeleting || !PlacementRules.Decide(spec, _node).IsSelected) return null;
            return Wish(spec);
        }
    }

    /// <summary>
    /// What is wanted for a model with a record: as <see cref="Find"/> says. Before the models are listed, and while the object cannot be read, it is what was
    /// wanted when the record was written: what was proven then is to be proven on.
    /// </summary>
    public ModelWish? FindFor(ModelRecord record)
    {
        lock (_gate)
        {
            if (Find(record.Key) is { } wish) return wish;
            return _isListed && !_unreadable.ContainsKey(record.Key) ? null : Remembered(record);
        }
    }

    /// <summary>The model as the API server has it, wanted here or not; null when it is gone.</summary>
    public ModelSpec? Spec(ModelKey key)
    {
        lock (_gate) return _specs.GetValueOrDefault(key);
    }

    /// <summary>Other models, wanted on this node, whose files lie in or around a directory: it must not be removed for <paramref name="key"/> alone.</summary>
    public IReadOnlyList<ModelKey> OthersAt(ModelKey key, string directory)
    {
        lock (_gate)
        {
            return [.. _specs.Values
                .Where(spec => spec.Key != key && !spec.IsDeleting && Wish(spec).Destination is { } other && DestinationRule.Overlap(other, directory))
                .Select(spec => spec.Key)
                .Union(_unreadable.Where(pair => pair.Key != key && pair.Value is { Length: > 0 } other && DestinationRule.Overlap(other, directory)).Select(pair => pair.Key))];
        }
    }

    private ModelWish Wish(ModelSpec spec)
    {
        if (!StorageUri.TryParse(spec.StorageUri, out var uri, out var refusal)) return new ModelWish(spec, null, null, $"spec.storage.{refusal}");
        // A vendor's model has no files; any path it names is its serving pod's affair.
        if (uri is StorageUri.Vendor) return new ModelWish(spec, uri, spec.StoragePath ?? "", null);
        return destinations.TryResolve(uri, spec.StoragePath, out var destination, out var why)
            ? new ModelWish(spec, uri, destination, null)
            : new ModelWish(spec, uri, null, why);
    }

    private static ModelWish? Remembered(ModelRecord record)
    {
        // What a guess finds is not acted upon: a withdrawn model would be read whole for nothing.
        if (record.Integrity is null && record.Phase != ModelPhase.Ready) return null;
        if (record.StoragePath.Length == 0 || !StorageUri.TryParse(record.StorageUri, out var uri, out _)) return null;
        var spec = new ModelSpec
        {
            Key = record.Key,
            Uid = record.Uid,
            Generation = record.Validation?.ObservedGeneration ?? 0,
            StorageUri = record.StorageUri,
            StoragePath = record.SpecPath,
            KeepsFiles = record.KeepsFiles,
            Integrity = record.Integrity ?? IntegrityAnnotations.None,
        };
        return new ModelWish(spec, uri, record.StoragePath, null) { IsRemembered = true, IsGuessed = record.Integrity is null };
    }

    private static bool SameMarks(ModelSpec one, ModelSpec other) =>
        one.IsDeleting == other.IsDeleting && one.KeepsFiles == other.KeepsFiles && one.SkipsConfigParsing == other.SkipsConfigParsing
        && one.StagingPriority == other.StagingPriority && one.BadStagingPriority == other.BadStagingPriority && one.Integrity == other.Integrity;
}
