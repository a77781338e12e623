namespace Ome.LocalCluster.Schemas;

/// <summary>A kind as the OpenAPI documents need it.</summary>
/// <param name="Group">Empty for the core group.</param>
/// <param name="Version">e.g. <c>v1beta1</c>.</param>
/// <param name="Kind">e.g. <c>ClusterBaseModel</c>.</param>
/// <param name="Plural">Name in the URL.</param>
/// <param name="Namespaced">Scope.</param>
/// <param name="Subresources">e.g. <c>status</c>, <c>scale</c>.</param>
/// <param name="Schema">The structural schema of a custom resource; null for built-in kinds, whose schemas ship with this library.</param>
public sealed record OpenApiKind(
    string Group, string Version, string Kind, string Plural, bool Namespaced, IReadOnlyCollection<string> Subresources, StructuralSchema? Schema = null)
{
    /// <summary>Path part of the group and version: <c>api/v1</c> or <c>apis/ome.io/v1beta1</c>.</summary>
    public string GroupVersionPath => Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";

    /// <summary>True when the kind comes from a CRD.</summary>
    public bool IsCustom => Schema is not null;

    /// <summary>Name of its schema: <c>io.ome.v1beta1.ClusterBaseModel</c> for a custom resource, the well-known one for a built-in kind.</summary>
    internal string SchemaName => !IsCustom && BuiltInSchemas.All.Kinds.TryGetValue((Group, Version, Kind), out var name)
        ? name
        : string.Join('.', Group.Split('.').Reverse().Append(Version).Append(Kind).Where(part => part.Length > 0));
}
