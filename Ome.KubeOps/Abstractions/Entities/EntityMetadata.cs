namespace KubeOps.Abstractions.Entities;

/// <summary>How a kind is named: <paramref name="Plural"/> defaults to the kind with an s, in lower case.</summary>
public record EntityMetadata(string Kind, string Version, string? Group = null, string? Plural = null)
{
    public string ListKind => Kind + "List";

    public string SingularName => Kind.ToLowerInvariant();

    public string PluralName => (Plural ?? Kind + "s").ToLowerInvariant();

    /// <summary>Gets <c>group/version</c>, or the version alone for the core group.</summary>
    public string GroupWithVersion => string.IsNullOrEmpty(Group) ? Version : $"{Group}/{Version}";
}

/// <summary>Whether objects of a kind live in a namespace.</summary>
public enum EntityScope
{
    Namespaced,
    Cluster,
}

/// <summary>Whether a printer column shows always or with <c>kubectl get -o wide</c> only.</summary>
public enum PrinterColumnPriority
{
    StandardView,
    WideView,
}
