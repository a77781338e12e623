namespace Ome.LocalCluster.Demo;

/// <summary>How the demo runs.</summary>
/// <param name="Repository">Root of the repository: manifests and built programs are taken from there.</param>
/// <param name="Directory">Where everything of this run lies.</param>
/// <param name="Configuration">Build configuration of the programs.</param>
/// <param name="Agents">Number of nodes, from 2.</param>
/// <param name="Model">Directory of a model of one's own to serve from the hub; null generates one.</param>
/// <param name="Keep">Leave everything running at the end.</param>
internal sealed record DemoOptions(string Repository, string Directory, string Configuration, int Agents, string? Model, bool Keep)
{
    public string Assembly(string project, string name)
    {
        var path = Path.Combine(Repository, project, "bin", Configuration, "net10.0", name + ".dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not built: run make build first.");
    }
}
