namespace Ome.Tests.Architecture;

/// <summary>Rules that hold for the repository as a whole.</summary>
public sealed class RepositoryTests
{
    [Test]
    public void The_solution_lists_every_project()
    {
        var root = RepositoryRoot();
        var listed = File.ReadLines(Path.Combine(root, "Ome.sln")).Where(line => line.StartsWith("Project(", StringComparison.Ordinal)).ToList();
        var projects = Directory.EnumerateFiles(root, "*.csproj", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(Path.GetFileName);

        projects.Should().AllSatisfy(project => listed.Should().Contain(line => line.Contains(project!, StringComparison.Ordinal)));
    }

    internal static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Ome.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("Ome.sln not found above " + AppContext.BaseDirectory);
    }
}
