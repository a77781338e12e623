using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Ome.Shared.Domain.Models;

/// <summary>The two kinds of model; they share one spec and one status.</summary>
public enum ModelKind
{
    /// <summary>Namespaced.</summary>
    BaseModel,

    /// <summary>Cluster scoped.</summary>
    ClusterBaseModel,
}

/// <summary>
/// Which model: kind, namespace and name. The only code that builds or parses node-label keys and ConfigMap data keys (contract 2.3, 2.4).
/// Holds only characters a ConfigMap key may have, so it is safe in paths of JSON patches and URLs.
/// </summary>
public sealed class ModelKey : IEquatable<ModelKey>, IComparable<ModelKey>
{
    private const string ClusterPrefix = "clusterbasemodel.";
    private const string Separator = ".basemodel.";
    private const int ShortNamespace = 8;
    private const int LabelNameBudget = 49;

    private static readonly SearchValues<char> Legal = SearchValues.Create("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private ModelKey(ModelKind kind, string ns, string name)
    {
        Kind = kind;
        Namespace = ns;
        Name = name;
        DataKey = Build(kind, ns, name, OmeNames.MaxNameLength);
        LabelKey = OmeNames.NodeLabelPrefix + Build(kind, ns, name, LabelNameBudget);
    }

    /// <summary>Kind of the model.</summary>
    public ModelKind Kind { get; }

    /// <summary>Namespace; empty for a ClusterBaseModel.</summary>
    public string Namespace { get; }

    /// <summary>Object name.</summary>
    public string Name { get; }

    /// <summary>Key of the model's entry in a node ConfigMap, at most 253 characters (contract 2.4).</summary>
    public string DataKey { get; }

    /// <summary>Key of the node label that schedules serving pods (contract 2.3).</summary>
    public string LabelKey { get; }

    /// <summary>A ClusterBaseModel.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or holds a character no Kubernetes name has.</exception>
    public static ModelKey Cluster(string name) => new(ModelKind.ClusterBaseModel, string.Empty, Checked(name, nameof(name)));

    /// <summary>A BaseModel.</summary>
    /// <inheritdoc cref="Cluster" path="/exception"/>
    public static ModelKey Namespaced(string ns, string name) => new(ModelKind.BaseModel, Checked(ns, nameof(ns)), Checked(name, nameof(name)));

    /// <summary>A model of either kind; the namespace is ignored for a ClusterBaseModel.</summary>
    /// <inheritdoc cref="Cluster" path="/exception"/>
    public static ModelKey Of(ModelKind kind, string? ns, string name) =>
        kind == ModelKind.ClusterBaseModel ? Cluster(name) : Namespaced(ns ?? string.Empty, name);

    /// <summary>
    /// Reads a ConfigMap data key back (contract 2.4). A shortened key gives a name no object has; <see cref="ModelKeySet"/> resolves those.
    /// </summary>
    /// <returns>False when it is not the key of a model; such keys are left alone.</returns>
    public static bool TryParseDataKey(string? key, [NotNullWhen(true)] out ModelKey? model)
    {
        model = null;
        if (string.IsNullOrEmpty(key) || key.Length > OmeNames.MaxNameLength || key.AsSpan().ContainsAnyExcept(Legal)) return false;
        if (key.StartsWith(ClusterPrefix, StringComparison.Ordinal))
        {
            if (key.Length == ClusterPrefix.Length) return false;
            model = new ModelKey(ModelKind.ClusterBaseModel, string.Empty, key[ClusterPrefix.Length..]);
            return true;
        }

        var at = key.IndexOf(Separator, StringComparison.Ordinal);
        if (at < 0 || at + Separator.Length == key.Length) return false;
        model = new ModelKey(ModelKind.BaseModel, key[..at], key[(at + Separator.Length)..]);
        return true;
    }

    /// <summary>Name of the ModelIntegrityCheck of this model on a node: <c>node.key</c>, hashed when too long (design 5).</summary>
    public string CheckName(string nodeName) => HashedName.Fit(nodeName + "." + DataKey, OmeNames.MaxNameLength).ToLowerInvariant();

    /// <inheritdoc/>
    public bool Equals(ModelKey? other) =>
        other is not null && Kind == other.Kind && Name == other.Name && Namespace == other.Namespace;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ModelKey);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Namespace, Name);

    /// <summary>Ordinal order by data key, then kind: the order of every list we show.</summary>
    public int CompareTo(ModelKey? other)
    {
        if (other is null) return 1;
        var byKey = string.CompareOrdinal(DataKey, other.DataKey);
        return byKey != 0 ? byKey : Kind.CompareTo(other.Kind);
    }

    /// <summary>How people name it: <c>name</c> for a cluster model, <c>namespace/name</c> otherwise.</summary>
    public override string ToString() => Kind == ModelKind.ClusterBaseModel ? Name : Namespace + "/" + Name;

    public static bool operator ==(ModelKey? left, ModelKey? right) => left is null ? right is null : left.Equals(right);

    public static bool operator !=(ModelKey? left, ModelKey? right) => !(left == right);

    public static bool operator <(ModelKey left, ModelKey right) => left.CompareTo(right) < 0;

    public static bool operator >(ModelKey left, ModelKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(ModelKey left, ModelKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ModelKey left, ModelKey right) => left.CompareTo(right) >= 0;

    private static string Build(ModelKind kind, string ns, string name, int max)
    {
        if (kind == ModelKind.ClusterBaseModel) return ClusterPrefix + HashedName.Truncate(name, max - ClusterPrefix.Length);
        var budget = max - Separator.Length;
        if (ns.Length + name.Length <= budget) return ns + Separator + name;
        return ns.Length <= ShortNamespace
            ? ns + Separator + HashedName.Truncate(name, budget - ns.Length)
            : HashedName.Truncate(ns, ShortNamespace) + Separator + HashedName.Truncate(name, budget - ShortNamespace);
    }

    private static string Checked(string text, string parameter)
    {
        if (text.Length is 0 or > OmeNames.MaxNameLength || text.AsSpan().ContainsAnyExcept(Legal))
        {
            throw new ArgumentException($"'{text}' is not a Kubernetes name: 1 to 253 letters, digits, '-', '.' or '_'.", parameter);
        }

        return text;
    }
}
