using System.Text.Json.Nodes;
using Ome.LocalCluster.Kinds;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster;

/// <summary>What is there in an empty cluster.</summary>
internal static class Bootstrap
{
    private const string Rbac = "rbac.authorization.k8s.io";

    public static void Seed(KindRegistry kinds, ObjectWriter writer)
    {
        foreach (var ns in new[] { "default", "kube-system", "kube-public", "kube-node-lease" })
            writer.Create(kinds.Find("", "v1", "namespaces")!, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = ns } }, WriteOptions.Internal);

        var everything = new JsonObject { ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*"), ["verbs"] = new JsonArray("*") };
        writer.Create(kinds.Find(Rbac, "v1", "clusterroles")!, "", Named("cluster-admin", new() { ["rules"] = new JsonArray(everything) }), WriteOptions.Internal);
        var masters = new JsonObject { ["kind"] = "Group", ["name"] = Security.Identity.Masters, ["apiGroup"] = Rbac };
        writer.Create(kinds.Find(Rbac, "v1", "clusterrolebindings")!, "", Named("cluster-admin", new()
        {
            ["roleRef"] = new JsonObject { ["apiGroup"] = Rbac, ["kind"] = "ClusterRole", ["name"] = "cluster-admin" },
            ["subjects"] = new JsonArray(masters),
        }), WriteOptions.Internal);
    }

    private static JsonObject Named(string name, JsonObject item)
    {
        item["metadata"] = new JsonObject { ["name"] = name };
        return item;
    }
}
