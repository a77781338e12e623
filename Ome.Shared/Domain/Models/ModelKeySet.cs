using System.Diagnostics.CodeAnalysis;

namespace Ome.Shared.Domain.Models;

/// <summary>
/// The models that exist, found by the keys they have on the wire. Long names are shortened with a hash there, so a key cannot be read back;
/// it can only be recognised (contract W25). Two models may share a label key; a data key belongs to one model, or to nobody.
/// </summary>
public sealed class ModelKeySet
{
    private readonly Dictionary<string, List<ModelKey>> _byDataKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<ModelKey>> _byLabelKey = new(StringComparer.Ordinal);

    /// <summary>A set of the given models.</summary>
    public ModelKeySet(IEnumerable<ModelKey> models)
    {
        foreach (var model in models) Add(model);
    }

    /// <summary>An empty set.</summary>
    public ModelKeySet()
    {
    }

    /// <summary>Number of distinct data keys.</summary>
    public int Count => _byDataKey.Count;

    /// <summary>Adds a model; a model that is there already changes nothing.</summary>
    public bool Add(ModelKey model)
    {
        if (!AddTo(_byDataKey, model.DataKey, model)) return false;
        AddTo(_byLabelKey, model.LabelKey, model);
        return true;
    }

    /// <summary>Removes a model.</summary>
    public bool Remove(ModelKey model)
    {
        if (!RemoveFrom(_byDataKey, model.DataKey, model)) return false;
        RemoveFrom(_byLabelKey, model.LabelKey, model);
        return true;
    }

    /// <summary>The model whose entry lies under this ConfigMap key; false when there is none, or when two models claim it.</summary>
    public bool TryFindByDataKey(string dataKey, [NotNullWhen(true)] out ModelKey? model)
    {
        model = _byDataKey.TryGetValue(dataKey, out var found) && found.Count == 1 ? found[0] : null;
        return model is not null;
    }

    /// <summary>All models that own this ConfigMap key: more than one only in the collision of contract W25.</summary>
    public IReadOnlyList<ModelKey> AllByDataKey(string dataKey) => _byDataKey.TryGetValue(dataKey, out var found) ? found : [];

    /// <summary>All models that own this node label.</summary>
    public IReadOnlyList<ModelKey> AllByLabelKey(string labelKey) => _byLabelKey.TryGetValue(labelKey, out var found) ? found : [];

    private static bool AddTo(Dictionary<string, List<ModelKey>> index, string key, ModelKey model)
    {
        if (!index.TryGetValue(key, out var list)) index[key] = list = [];
        if (list.Contains(model)) return false;
        list.Add(model);
        return true;
    }

    private static bool RemoveFrom(Dictionary<string, List<ModelKey>> index, string key, ModelKey model)
    {
        if (!index.TryGetValue(key, out var list) || !list.Remove(model)) return false;
        if (list.Count == 0) index.Remove(key);
        return true;
    }
}
