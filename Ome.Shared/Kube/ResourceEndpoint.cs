using System.Reflection;
using System.Text;
using k8s.Models;

namespace Ome.Shared.Kube;

/// <summary>Where the API server serves a kind.</summary>
/// <param name="Group">API group; empty for the core kinds.</param>
/// <param name="Version">API version, for instance <c>v1beta1</c>.</param>
/// <param name="Kind">The kind, for instance <c>BaseModel</c>.</param>
/// <param name="Plural">The lower-case plural of the URL.</param>
internal sealed record ResourceEndpoint(string Group, string Version, string Kind, string Plural)
{
    /// <summary>Value of <c>apiVersion</c> in objects of the kind.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The name people use for the kind: <c>nodes</c>, <c>basemodels.ome.io</c>.</summary>
    public string DisplayName => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>The endpoint named by the type's <see cref="KubernetesEntityAttribute"/>.</summary>
    public static ResourceEndpoint Of<T>()
    {
        var mark = typeof(T).GetCustomAttribute<KubernetesEntityAttribute>()
            ?? throw new InvalidOperationException($"{typeof(T).FullName} has no [KubernetesEntity]; an informer cannot know its URL.");
        if (string.IsNullOrEmpty(mark.PluralName)) throw new InvalidOperationException($"[KubernetesEntity] of {typeof(T).FullName} has no PluralName.");
        return new(mark.Group ?? "", mark.ApiVersion is { Length: > 0 } version ? version : "v1", mark.Kind is { Length: > 0 } kind ? kind : typeof(T).Name, mark.PluralName);
    }

    /// <summary>The relative URL of the collection with a query; parameters without a value are left out.</summary>
    public string CollectionUrl(string? ns, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        var url = new StringBuilder(Group.Length == 0 ? $"api/{Version}/" : $"apis/{Group}/{Version}/");
        if (ns is not null) url.Append("namespaces/").Append(Uri.EscapeDataString(ns)).Append('/');
        url.Append(Plural);
        var separator = '?';
        foreach (var (name, value) in query)
        {
            if (string.IsNullOrEmpty(value)) continue;
            url.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }
        return url.ToString();
    }
}
