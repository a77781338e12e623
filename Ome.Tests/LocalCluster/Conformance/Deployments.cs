namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>A small valid Deployment.</summary>
internal static class Deployments
{
    public static string Json(string name) => """
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"NAME"},
         "spec":{"replicas":2,"selector":{"matchLabels":{"app":"x"}},
                 "template":{"metadata":{"labels":{"app":"x"}},"spec":{"containers":[{"name":"main","image":"a:1"}]}}}}
        """.Replace("NAME", name, StringComparison.Ordinal);
}
