using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;

namespace Ome.Tests.Manifests;

/// <summary>Service accounts, roles and bindings of both programs, by file name.</summary>
internal static class RbacManifests
{
    private const string RbacGroup = "rbac.authorization.k8s.io";
    private const string ApiVersion = RbacGroup + "/v1";

    /// <summary>The files of config/rbac.</summary>
    public static IReadOnlyDictionary<string, object[]> Files() => new Dictionary<string, object[]>
    {
        ["operator_service_account.yaml"] = [Account(RightsNames.Operator)],
        ["operator_cluster_role.yaml"] = [.. Cluster(RightsNames.Operator, typeof(OperatorClusterRights))],
        ["operator_role.yaml"] = [.. Namespaced(RightsNames.Operator, RightsNames.Operator, typeof(OperatorNamespaceRights))],
        ["agent_service_account.yaml"] = [Account(RightsNames.Agent)],
        ["agent_cluster_role.yaml"] = [.. Cluster(RightsNames.Agent, typeof(AgentClusterRights))],
        ["agent_role.yaml"] = [.. Namespaced(RightsNames.Agent, RightsNames.Agent, typeof(AgentNamespaceRights))],
    };

    /// <summary>The file of config/rbac/agent-secrets, which nothing includes.</summary>
    public static IReadOnlyDictionary<string, object[]> SecretFiles() => new Dictionary<string, object[]>
    {
        ["role.yaml"] = [.. Namespaced(RightsNames.AgentSecrets, RightsNames.Agent, typeof(AgentSecretRights))],
    };

    // The programs' own pods ask for the token; a pod that merely names the account gets none.
    private static V1ServiceAccount Account(string name) => new()
    {
        ApiVersion = "v1",
        Kind = "ServiceAccount",
        Metadata = Meta(name, OmeNames.DefaultNamespace),
        AutomountServiceAccountToken = false,
    };

    private static IEnumerable<object> Cluster(string name, Type rights) =>
    [
        new V1ClusterRole { ApiVersion = ApiVersion, Kind = "ClusterRole", Metadata = Meta(name), Rules = [.. Transpiled.Rules(rights)] },
        new V1ClusterRoleBinding
        {
            ApiVersion = ApiVersion, Kind = "ClusterRoleBinding", Metadata = Meta(name), RoleRef = Role("ClusterRole", name), Subjects = [Subject(name)],
        },
    ];

    private static IEnumerable<object> Namespaced(string name, string account, Type rights) =>
    [
        new V1Role { ApiVersion = ApiVersion, Kind = "Role", Metadata = Meta(name, OmeNames.DefaultNamespace), Rules = [.. Transpiled.Rules(rights)] },
        new V1RoleBinding
        {
            ApiVersion = ApiVersion,
            Kind = "RoleBinding",
            Metadata = Meta(name, OmeNames.DefaultNamespace),
            RoleRef = Role("Role", name),
            Subjects = [Subject(account)],
        },
    ];

    private static V1RoleRef Role(string kind, string name) => new() { ApiGroup = RbacGroup, Kind = kind, Name = name };

    private static Rbacv1Subject Subject(string account) => new() { Kind = "ServiceAccount", Name = account, NamespaceProperty = OmeNames.DefaultNamespace };

    private static V1ObjectMeta Meta(string name, string? ns = null) => new()
    {
        Name = name,
        NamespaceProperty = ns,
        Labels = new Dictionary<string, string> { ["app.kubernetes.io/part-of"] = "ome" },
    };
}
