using k8s.Models;

namespace Ome.Shared.Kube;

/// <summary>Namespace and name of an object; the namespace is empty for cluster-scoped kinds.</summary>
public readonly record struct ObjectName(string Namespace, string Name)
{
    /// <summary>The name of a Kubernetes object.</summary>
    public static ObjectName Of(IMetadata<V1ObjectMeta> resource) => new(resource.Metadata.NamespaceProperty ?? "", resource.Metadata.Name ?? "");

    /// <inheritdoc/>
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}

/// <summary>One life of an object: a name that is deleted and created again has another <paramref name="Uid"/>.</summary>
public readonly record struct ObjectIdentity(ObjectName Name, string Uid)
{
    /// <summary>The identity of a Kubernetes object.</summary>
    public static ObjectIdentity Of(IMetadata<V1ObjectMeta> resource) => new(ObjectName.Of(resource), resource.Metadata.Uid ?? "");
}
