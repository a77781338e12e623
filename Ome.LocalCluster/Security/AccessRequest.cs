namespace Ome.LocalCluster.Security;

/// <summary>What somebody wants to do, as RBAC sees it.</summary>
/// <param name="Verb">e.g. <c>get</c>, <c>list</c>, <c>deletecollection</c>.</param>
/// <param name="Group">API group; empty for core.</param>
/// <param name="Resource">Plural.</param>
/// <param name="Subresource">Empty for the object itself.</param>
/// <param name="Namespace">Empty for cluster scope or all namespaces.</param>
/// <param name="Name">Empty when no single object is named.</param>
public sealed record AccessRequest(string Verb, string Group, string Resource, string Subresource, string Namespace, string Name)
{
    /// <summary>As rules name it: <c>nodes</c>, <c>nodes/status</c>.</summary>
    public string ResourceWithSub => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    /// <summary>The refusal in kube-apiserver's words.</summary>
    public string Describe(Identity who)
    {
        var scope = Namespace.Length == 0 ? "at the cluster scope" : $"in the namespace \"{Namespace}\"";
        return $"User \"{who.User}\" cannot {Verb} resource \"{ResourceWithSub}\" in API group \"{Group}\" {scope}";
    }
}
