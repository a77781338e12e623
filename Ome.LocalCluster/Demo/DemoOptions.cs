namespace Ome.LocalCluster.Demo;

/// <summary>How the demo runs.</summary>
/// <param name="Repository">Root of the repository: manifests and built programs are taken from there.</param>
/// <param name="Directory">Where everything of this run lies.</param>
/// <param name="Configuration">Build configuration of the programs.</param>
/// <param name="Agents">Number of nodes, from 2.</param>
/// <param name="Model">Directory of a model of one's own to serve from the hub; null generates one.</param>
/// <param name="Keep">Leave everything running at the end.</param>
/// <param name="Context">Kubeconfig context of a cluster to run on; null starts a control plane.</param>
/// <param name="Assets">Directory of etcd and kube-apiserver to start; null starts the in-process control plane.</param>
/// <param name="Port">HTTPS port of the in-process control plane; 0 takes a free one.</param>
internal sealed record DemoOptions(string Repository, string Directory, string Configuration, int Agents, string? Model, bool Keep, string? Context, string? Assets, int Port)
{
    public string Assembly(string project, string name)
    {
        var path = Path.Combine(Repository, project, "bin", Configuration, "net10.0", name + ".dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not built: run make build first.");
    }
}
