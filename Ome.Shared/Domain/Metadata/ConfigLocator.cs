using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Metadata;

/// <summary>Which file describes the model (contract 6.1). Where upstream's walk keeps the last match, ours takes the shallowest, then the first by name (W30).</summary>
internal static class ConfigLocator
{
    public const string DiffusionIndex = "model_index.json";
    public const string Config = "config.json";

    private static readonly string[] UsualFolders = ["safetensors/", "pytorch_model/", "model/"];

    public static ArtifactPath? Find(IModelFiles files)
    {
        if (Shallowest(files, DiffusionIndex) is { } index) return index;
        foreach (var folder in UsualFolders.Prepend(""))
        {
            var usual = ArtifactPath.Parse(folder + Config);
            if (files.SizeOf(usual) is not null) return usual;
        }

        return Shallowest(files, Config);
    }

    /// <summary>The folder of a path with its trailing slash; empty for the root.</summary>
    public static string FolderOf(ArtifactPath path) => path.Value[..(path.Value.LastIndexOf('/') + 1)];

    private static ArtifactPath? Shallowest(IModelFiles files, string name)
    {
        var matches = files.Paths.Where(path => path.Name == name).ToList();
        return matches.Count == 0 ? null : matches.MinBy(path => (path.Value.Count(c => c == '/'), path.Value));
    }
}
