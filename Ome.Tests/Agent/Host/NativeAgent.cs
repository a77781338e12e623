using Ome.Tests.Architecture;

namespace Ome.Tests.Agent.Host;

/// <summary>The agent compiled ahead of time, as its image has it.</summary>
internal static class NativeAgent
{
    /// <summary>Its path; without one the test is ignored and says how to make it.</summary>
    public static string Path
    {
        get
        {
            var path = System.IO.Path.Combine(RepositoryTests.RepositoryRoot(), "artifacts/native/ome-agent");
            if (!File.Exists(path)) Assert.Ignore("There is no artifacts/native/ome-agent: make native (gcc, some minutes).");
            return path;
        }
    }
}
